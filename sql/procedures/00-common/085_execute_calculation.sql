-- Purpose: work off one batch of bua_initiate; the workflow engine calls it. Input: the batch's payload.
-- Tables written: bua_control and those of the run type's own routine. Safe to rerun: claims only items that are pending.
-- Definer's rights: the engine's role may not write the meter reads that some calculations make.
create or replace procedure bua.execute_calculation(p_payload jsonb)
language plpgsql security definer set search_path = bua, pg_temp as $$
declare
    v_run_date date := p_payload ->> 'run_date';
    v_run_type text := p_payload ->> 'run_type';
    v_items    text[];
begin
    v_items := array(select * from bua.claim_work_items(
        v_run_date, v_run_type, p_payload ->> 'attempt', array(select jsonb_array_elements_text(p_payload -> 'items'))));
    if cardinality(v_items) > 0 then
        call bua.work_off(v_run_date, v_run_type, v_items);
        call bua.finish_work_items(v_run_date, v_run_type, v_items);
    end if;
end $$;
