-- Purpose: how many days a multirange of dates has. Input: the days. Reads nothing.
create or replace function bua.count_days(p_days datemultirange) returns integer
language sql immutable as $$ select sum(upper(d) - lower(d))::integer from unnest(p_days) d $$;
