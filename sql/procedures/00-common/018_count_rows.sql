-- Purpose: how many rows of the run each table has that is filled before invoicing: the partitions of schema bua, but for
-- work items and what the export makes, and the run's own reads among the platform's. Input: run_date. Reads only.
create or replace function bua.count_rows(p_run_date date) returns table (table_name text, rows bigint)
language plpgsql stable as $$
begin
    for table_name in
        select 'bua.' || c.relname from pg_catalog.pg_class c
        where c.relnamespace = 'bua'::regnamespace and c.relkind = 'p' and not c.relispartition
          and c.relname not in ('bua_control', 'account_summary', 'invoice_line_item_monthly', 'account_exception')
        union all values ('core.aggregated_read'), ('core.meter_read')
        order by 1
    loop
        execute format('select count(*) from %s where run_date = $1', table_name) into rows using p_run_date;
        return next;
    end loop;
end $$;
