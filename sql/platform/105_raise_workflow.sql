-- Purpose: hand a batch from one workflow to the next.
-- Inputs: the workflow's name; run_date; the batch's payload, which is passed on unchanged.
-- Tables written: core.workflow_instance, one READY row.
-- Safe to rerun: a batch that still waits is not raised again. One that was executed is, and replaces what it made.
create or replace procedure core.raise_workflow(p_workflow_name text, p_run_date date, p_payload jsonb)
language sql as $$
    insert into core.workflow_instance (workflow_name, run_date, payload)
    select p_workflow_name, p_run_date, p_payload
    where not exists (
        select from core.workflow_instance i
        where i.workflow_name = p_workflow_name and i.state = 'READY'
          and i.run_date is not distinct from p_run_date and i.payload = p_payload)
$$;
