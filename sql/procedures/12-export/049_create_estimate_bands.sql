-- Purpose: keep the bands of the estimates (bua.estimate_bands) with the run, when every account has been prepared.
-- Input: run_date. Tables written: bua.estimate_band. Safe to rerun: replaces the run's rows.
create or replace procedure bua.create_estimate_bands(p_run_date date)
language plpgsql as $$
begin
    call bua.truncate_run('estimate_band', p_run_date);
    insert into bua.estimate_band select p_run_date, b.* from bua.estimate_bands(p_run_date) b;
end $$;
