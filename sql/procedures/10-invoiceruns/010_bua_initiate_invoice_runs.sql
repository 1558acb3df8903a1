-- Purpose: start all invoice runs: one schedule of the workflow engine for every hundred unbilled accounts, with the days
-- that each account is to be invoiced for. Before, it settles which interval reads they bill; afterwards it counts the rows that
-- the invoices rest on. Input: run_date.
-- Tables written: core.aggregated_read, core.workflow_schedule, core.workflow_instance, core.invoice, core.billable_quantity,
-- bua.row_count.
-- Safe to rerun: first removes the run's earlier invoices, quantities, instances and schedules.
create or replace procedure bua.bua_initiate_invoice_runs(p_run_date date)
language sql as $$
    call bua.settle_interval_reads(p_run_date);

    delete from core.workflow_schedule where run_date = p_run_date and workflow_name = 'GENERATE_ILI';
    delete from core.workflow_instance
    where run_date = p_run_date and workflow_name in ('GENERATE_ILI', 'RUN_INVOICE_BATCH', 'INVOICEGEN');
    delete from core.invoice where origin = 'BUA' and run_date = p_run_date;
    delete from core.billable_quantity where run_date = p_run_date;

    insert into core.workflow_schedule (workflow_name, run_date, payload)
    select 'GENERATE_ILI', p_run_date,
           jsonb_build_object('run_date', p_run_date, 'batch_no', batch_no, 'accounts', jsonb_agg(
               jsonb_build_object('account_id', account_id, 'windows', windows) order by account_id))
    from (
        select u.account_id, 1 + (row_number() over (order by u.account_id) - 1) / 100 as batch_no,
               (select jsonb_agg(jsonb_build_array(lower(w), upper(w) - 1) order by w) from unnest(u.unbilled) w) as windows
        from bua.bua_list_unbilled_accounts(p_run_date) u
    ) b
    group by batch_no order by batch_no;

    call bua.record_counts(p_run_date)
$$;
