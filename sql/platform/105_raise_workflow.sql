-- How one workflow hands a batch on to the next.
-- Inputs:  the workflow's name, the run it belongs to, the batch's payload (passed on unchanged).
-- Writes:  one READY row in core.workflow_instance.
-- Rerun:   a batch that still waits is not raised again; one that was executed is, and replaces what it made.

create or replace procedure core.raise_workflow(p_workflow_name text, p_run_date date, p_payload jsonb)
language sql
begin atomic
    insert into core.workflow_instance (workflow_name, run_date, payload)
    select p_workflow_name, p_run_date, p_payload
     where not exists (
           select from core.workflow_instance i
            where i.workflow_name = p_workflow_name
              and i.state = 'READY'
              and i.run_date is not distinct from p_run_date
              and i.payload = p_payload);
end;
