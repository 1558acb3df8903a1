-- Purpose: READS of basic registers, in kWh or MJ: the latest reads that are basic_reference_days apart.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, rows without a method. Safe to rerun: changes no other row.
create or replace procedure bua.scalars_from_basic_reads(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    with target as materialized (
        select account_id, meter_register_id, occupied, profile_key, row_number() over () as stream
        from bua.micro_scalar
        where run_date = p_run_date and account_id = any (p_account_ids) and read_type = 'BASIC' and method is null
    ),
    reference as materialized (
        select t.account_id, t.meter_register_id, r.*
        from (select array_agg(meter_register_id order by stream) as ids, array_agg(occupied order by stream) as occupied,
                     array_agg(profile_key order by stream) as keys from target) l
        cross join lateral bua.basic_reference(p_run_date, l.ids, l.occupied, l.keys) r
        join target t using (stream)
    )
    update bua.micro_scalar s
    set method = 'READS', scalar = r.usage / r.macro, reference_from = r.from_date, reference_to = r.to_date - 1,
        reference_days = r.days, usage_units = r.usage, macro_units = r.macro
    from reference r
    where s.run_date = p_run_date and s.account_id = any (p_account_ids)
      and (s.account_id, s.meter_register_id) = (r.account_id, r.meter_register_id);
end $$;
