-- Purpose: the value of a threshold of bua.parameter. Input: its name. Reads only.
create or replace function bua.parameter(p_name text) returns numeric
language sql stable as $$ select value from bua.parameter where name = p_name $$;
