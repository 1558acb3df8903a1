-- Purpose: remove the run's corrections of the platform's interval reads (correct_platform_reads). Nothing else that a run
-- makes for an interval register is negative. Input: run_date. Tables written: core.aggregated_read. Safe to rerun.
create or replace procedure bua.remove_read_corrections(p_run_date date)
language sql as $$
    delete from core.aggregated_read a
    using bua.implausible_read r
    where r.run_date = p_run_date and r.half_hours is not null and a.meter_register_id = r.meter_register_id
      and a.origin = 'BUA' and a.run_date = p_run_date and a.quantity < 0
$$;
