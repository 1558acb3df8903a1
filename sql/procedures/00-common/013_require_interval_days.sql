-- Purpose: refuse to go on from a copy of the interval reads that a crash has emptied: everything would be estimated. It looks for
-- one row only. Input: run_date. Tables written: none. Safe to rerun.
create or replace procedure bua.require_interval_days(p_run_date date)
language plpgsql as $$
begin
    if exists (select from bua.utility_profile_log l where l.run_date = p_run_date and l.days_written > 0)
       and not exists (select from bua.utility_profile u where u.run_date = p_run_date) then
        raise exception 'the copy of the interval reads is gone, PostgreSQL must have crashed: start the run of % again from segments',
            p_run_date;
    end if;
end $$;
