-- Purpose: empty the run's tables for export before they are prepared again. Input: run_date.
-- Tables written: bua.account_summary, bua.invoice_line_item_monthly, bua.account_exception, bua.panel_error,
-- bua.estimate_band, bua.account_band. Safe to rerun.
create or replace procedure bua.truncate_export(p_run_date date)
language plpgsql as $$
begin
    call bua.truncate_run('account_summary', p_run_date);
    call bua.truncate_run('invoice_line_item_monthly', p_run_date);
    call bua.truncate_run('account_exception', p_run_date);
    call bua.truncate_run('panel_error', p_run_date);
    call bua.truncate_run('estimate_band', p_run_date);
    call bua.truncate_run('account_band', p_run_date);
end $$;
