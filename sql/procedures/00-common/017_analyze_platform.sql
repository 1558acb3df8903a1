-- Purpose: tell the planner what a run has added to a table of the platform: it knows the table as warming saw it, without
-- any row of a run, and takes a million of them for none. Input: the table's name. Safe to rerun: changes statistics only.
-- Definer's rights: only the owner of a table may analyse it.
create or replace procedure bua.analyze_platform(p_table text)
language plpgsql security definer set search_path = core, pg_temp as $$
begin
    execute format('analyze core.%I', p_table);
end $$;
