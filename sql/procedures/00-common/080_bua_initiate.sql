-- Purpose: start a calculation from SQL, through the workflow engine instead of the queues; the pipeline does not use it.
-- Inputs: run_date; a run type whose work is SQL alone (UtilityProfile, NEM12, Export and ExportEvidence need AWS and are refused).
-- Tables written: bua_control and the other tables of a plan; core.workflow_instance (BUA_CALCULATION, one a batch).
-- Safe to rerun: a new attempt resets the run type and replaces its instances.
create or replace procedure bua.bua_initiate(p_run_date date, p_run_type text)
language plpgsql as $$
declare
    v_batches integer[];
    v_attempt text := 'bua_initiate ' || clock_timestamp();
begin
    if not bua.is_worked_in_sql(p_run_type) then
        raise exception '% is not worked off in SQL: start it from its state machine', p_run_type;
    end if;
    delete from core.workflow_instance where run_date = p_run_date and workflow_name = 'BUA_CALCULATION'
        and payload ->> 'run_type' = p_run_type;
    insert into core.workflow_instance (workflow_name, run_date, payload)
    select 'BUA_CALCULATION', p_run_date,
           jsonb_build_object('run_date', p_run_date, 'run_type', p_run_type, 'attempt', v_attempt, 'items', to_jsonb(b.items))
    from bua.plan_work_items(p_run_date, p_run_type, v_attempt, 100) b;
    v_batches := array(
        select batch_no from bua.fan_out_batch where run_date = p_run_date and run_type = p_run_type);
    call bua.mark_enqueued(p_run_date, p_run_type, v_attempt, v_batches);
end $$;
