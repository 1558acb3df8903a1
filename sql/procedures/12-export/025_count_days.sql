-- Purpose: how many days a multirange of dates has; null for none. Input: the days. Reads nothing. Its plan is made once a session.
create or replace function bua.count_days(p_days datemultirange) returns integer
language plpgsql immutable as $$
begin
    return (select sum(upper(d) - lower(d))::integer from unnest(p_days) d);
end $$;
