-- Purpose: keep the bands of the estimates, of segments and of accounts, with the run, when every account has been prepared.
-- Input: run_date. Tables written: bua.panel_error, bua.estimate_band, bua.account_band. Safe to rerun: replaces the run's rows.
create or replace procedure bua.create_estimate_bands(p_run_date date)
language plpgsql as $$
begin
    call bua.truncate_run('panel_error', p_run_date);
    insert into bua.panel_error select p_run_date, e.* from bua.panel_errors(p_run_date) e;
    call bua.analyze_run('panel_error', p_run_date);
    call bua.truncate_run('estimate_band', p_run_date);
    insert into bua.estimate_band select p_run_date, b.* from bua.estimate_bands(p_run_date) b;
    call bua.truncate_run('account_band', p_run_date);
    insert into bua.account_band select p_run_date, b.* from bua.account_bands(p_run_date) b;
end $$;
