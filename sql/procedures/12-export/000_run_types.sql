-- What this step fans out: see 00-common/020_run_types.sql.

-- PrepareExport: every account that was open at some time of the period.
create or replace function bua.list_prepare_export(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$ select a.account_id, '' from bua.bua_list_all_accounts(p_run_date) a $$;

create or replace procedure bua.reset_prepare_export(p_run_date date)
language plpgsql as $$
begin
    call bua.truncate_export(p_run_date);
    call bua.analyze_platform('invoice');
    call bua.analyze_platform('invoice_line_item');
    call bua.analyze_platform('invoice_line_item_month');
    call bua.analyze_platform('billable_quantity');
end $$;

create or replace procedure bua.work_off_prepare_export(p_run_date date, p_items text[])
language sql as $$ call bua.bua_prepare_export_data(p_run_date, p_items) $$;

-- Export: one item a file; its view is in 050_views.sql. Python copies it to S3.
create or replace function bua.list_export(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$
    select f, '' from unnest(array['BUAAccountSummary', 'InvoiceLineItemMonthly', 'estimate_bands', 'exceptions', 'implausible_reads', 'profile_marks', 'summary']) f
$$;

-- ExportEvidence: one item a Parquet file, account_days/0001; the accounts of a part are those of bua.evidence_accounts. Python
-- copies it to S3, by the functions bua.evidence_<name>.
create or replace function bua.list_export_evidence(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$
    select n || '/' || to_char(part, 'FM0000'), ''
    from unnest(array['account_days', 'account_spans', 'basic_reads', 'billed_lines', 'estimated_days', 'scalars']) n
    cross join generate_series(1, (select greatest(ceil(count(*) / bua.parameter('evidence_accounts')), 1)
                                   from bua.bua_list_all_accounts(p_run_date))) part
    union all
    select n || '/0001', '' from unnest(array['back_billing_limits', 'failed_items', 'profiles', 'variances']) n
$$;

create or replace procedure bua.reset_export_evidence(p_run_date date)
language sql as $$ call bua.truncate_run('evidence_file', p_run_date) $$;
