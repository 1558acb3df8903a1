-- Purpose: record how many rows of the run each table has, when everything that is invoiced has been worked out.
-- Input: run_date. Tables written: bua.row_count. Safe to rerun: replaces the run's rows.
create or replace procedure bua.record_counts(p_run_date date)
language sql as $$
    delete from bua.row_count where run_date = p_run_date;
    insert into bua.row_count select p_run_date, table_name, rows from bua.count_rows(p_run_date)
$$;
