-- Purpose: tell the planner what has just been written to a run's partition of a table.
-- Inputs: the table's name, run_date. Safe to rerun: changes statistics only.
-- Definer's rights: only the owner of a table may analyse it.
create or replace procedure bua.analyze_run(p_table text, p_run_date date)
language plpgsql security definer set search_path = bua, pg_temp as $$
begin
    execute format('analyze bua.%I', bua.partition_name(p_table, p_run_date));
end $$;
