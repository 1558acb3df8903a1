-- Purpose: the last day of a register when another of its type begins on it: the day of the change is the new register's.
-- Null when none does. Input: the register. Reads only.
create or replace function core.handed_over(p_register core.meter_register) returns date
language sql stable as $$
    select p_register.end_date
    where exists (
        select from core.meter_register n
        where n.site_id = p_register.site_id and n.stream_type = p_register.stream_type
          and n.start_date = p_register.end_date and n.start_date > p_register.start_date)
$$;
