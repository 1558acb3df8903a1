-- Purpose: ResetBasicRead: remove the reads and quantities that this run made for basic registers.
-- Inputs: run_date, accounts. Tables written: core.meter_read, core.aggregated_read. Safe to rerun: removes only rows of
-- origin BUA and of this run. The registers are named: of what the run makes the planner knows nothing, and it would look at
-- all of that for every message.
create or replace procedure bua.reset_basic_reads(p_run_date date, p_account_ids text[])
language plpgsql as $$
declare
    v_registers bigint[];
    v_days      datemultirange[];
begin
    select array_agg(meter_register_id), array_agg(days) into v_registers, v_days
    from bua.account_streams(p_account_ids) where read_type = 'BASIC';

    delete from core.meter_read r
    using unnest(v_registers, v_days) s (meter_register_id, days)
    where r.meter_register_id = s.meter_register_id and r.meter_register_id = any (v_registers)
      and r.origin = 'BUA' and r.run_date = p_run_date and s.days @> (r.read_date - 1);

    delete from core.aggregated_read r
    using unnest(v_registers, v_days) s (meter_register_id, days)
    where r.meter_register_id = s.meter_register_id and r.meter_register_id = any (v_registers)
      and r.origin = 'BUA' and r.run_date = p_run_date and s.days @> r.from_date;
end $$;
