-- Purpose: remove what an earlier attempt of the run generated for interval registers, before it is generated again.
-- Input: run_date. Tables written: core.aggregated_read, core.workflow_instance. Safe to rerun: removes only this run's rows.
create or replace procedure bua.remove_nem12_reads(p_run_date date)
language sql as $$
    delete from core.workflow_instance
    where run_date = p_run_date and workflow_name in ('LOAD_NEM12', 'IMPORT_NEM12');

    delete from core.aggregated_read a
    using core.meter_register m
    where a.origin = 'BUA' and a.run_date = p_run_date and m.meter_register_id = a.meter_register_id and m.read_type = 'INTERVAL';
$$;
