-- Purpose: empty the tables that are exported, before they are prepared anew. Input: run_date.
create or replace procedure bua.truncate_export(p_run_date date)
language plpgsql as $$
begin
    call bua.truncate_run('account_summary', p_run_date);
    call bua.truncate_run('invoice_line_item_monthly', p_run_date);
    call bua.truncate_run('account_exception', p_run_date);
end $$;
