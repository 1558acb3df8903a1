-- Purpose: ResetBasicRead: remove the reads and quantities that this run made for basic registers.
-- Inputs: run_date, accounts. Tables written: core.meter_read, core.aggregated_read. Safe to rerun: removes only rows of
-- origin BUA and of this run.
create or replace procedure bua.reset_basic_reads(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    delete from core.meter_read r
    using bua.account_streams(p_account_ids) s
    where s.read_type = 'BASIC' and r.meter_register_id = s.meter_register_id and r.origin = 'BUA' and r.run_date = p_run_date
      and s.days @> (r.read_date - 1);

    delete from core.aggregated_read r
    using bua.account_streams(p_account_ids) s
    where s.read_type = 'BASIC' and r.meter_register_id = s.meter_register_id and r.origin = 'BUA' and r.run_date = p_run_date
      and s.days @> r.from_date;
end $$;
