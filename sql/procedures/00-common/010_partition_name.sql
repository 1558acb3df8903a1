-- Purpose: the name of a run's partition of a table. Every large table of schema bua is partitioned by run_date, so that
-- a reset truncates instead of deleting. Inputs: the table's name, run_date. Reads nothing.
create or replace function bua.partition_name(p_table text, p_run_date date) returns text
language sql immutable as $$ select p_table || to_char(p_run_date, '_YYYY_MM_DD') $$;
