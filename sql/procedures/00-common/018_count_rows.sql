-- Purpose: how many rows of the run each table has that is filled before invoicing: the partitions of schema bua, but for
-- work items, what the export makes and the copy of the interval reads (bua.count_interval_days); the run's own reads among the
-- platform's; the workflow instances of the steps before; and, whole, what the run reads of schema bua. Input: run_date.
-- Reads only.
create or replace function bua.count_rows(p_run_date date) returns table (table_name text, rows bigint)
language plpgsql stable as $$
declare
    v_condition text;
begin
    for table_name, v_condition in
        select 'bua.' || c.relname, 'run_date = $1' from pg_catalog.pg_class c
        where c.relnamespace = 'bua'::regnamespace and c.relkind = 'p' and not c.relispartition
          and c.relname not in ('bua_control', 'utility_profile', 'account_summary', 'invoice_line_item_monthly', 'account_exception',
                                'panel_error', 'estimate_band', 'account_band', 'evidence_file')
        union all
        values ('core.aggregated_read', 'run_date = $1'), ('core.meter_read', 'run_date = $1'),
               ('core.workflow_instance',
                'run_date = $1 and workflow_name not in (''GENERATE_ILI'', ''RUN_INVOICE_BATCH'', ''INVOICEGEN'')'),
               ('bua.market_day', 'local_date <= (select accrual_date from bua.run where run_date = $1)'),
               ('bua.parameter', 'true'), ('bua.back_billing_limit', 'true')
        order by 1
    loop
        execute format('select count(*) from %s where %s', table_name, v_condition) into rows using p_run_date;
        return next;
    end loop;
end $$;
