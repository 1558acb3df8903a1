-- Purpose: empty a run's partition of a table. Inputs: the table's name, run_date. Safe to rerun.
-- Definer's rights: only the owner of a table may truncate it.
create or replace procedure bua.truncate_run(p_table text, p_run_date date)
language plpgsql security definer set search_path = bua, pg_temp as $$
begin
    execute format('truncate bua.%I', bua.partition_name(p_table, p_run_date));
end $$;
