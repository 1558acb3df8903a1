-- Purpose: the value of a threshold of bua.parameter. Input: its name. Reads only. Its plan is made once a session: statements
-- ask for many thresholds.
create or replace function bua.parameter(p_name text) returns numeric
language plpgsql stable as $$
begin
    return (select value from bua.parameter where name = p_name);
end $$;
