-- Purpose: OWN_DAILY_MEAN: an account whose reads no profile covers (its segment has no interval sites) follows the mean of
-- its own days, in kWh or MJ. It has no scalar.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, rows without a method. Safe to rerun: changes no other row.
create or replace procedure bua.scalars_without_profile(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    with reference as (
        select s.account_id, s.meter_register_id, s.gap, u.profile_date as from_date, u.profile_date as to_date, 1 as days,
               u.day_total / 1e6 as usage
        from bua.micro_scalar s
        join bua.utility_profile u
            on u.run_date = s.run_date and u.meter_register_id = any (s.register_ids) and u.excluded_mask = 0
            and s.occupied @> u.profile_date
            and u.profile_date >= s.first_missing - (select bua.parameter('scalar_reference_days'))::integer
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.read_type = 'INTERVAL' and s.method is null
        union all
        select s.account_id, s.meter_register_id, s.gap, x.from_date, x.to_date - 1, x.to_date - x.from_date, x.quantity
        from bua.micro_scalar s
        cross join lateral bua.read_spans(p_run_date, array[s.meter_register_id], array[s.occupied]) x
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.read_type = 'BASIC' and s.method is null
          and x.read_state = 'ACTUAL'
    ),
    summed as materialized (
        select account_id, meter_register_id, gap, min(from_date) as from_date, max(to_date) as to_date, sum(days) as days,
               sum(usage) as usage
        from reference group by 1, 2, 3 having sum(days) >= (select bua.parameter('scalar_min_days'))
    )
    update bua.micro_scalar s
    set method = 'OWN_DAILY_MEAN', reference_from = v.from_date, reference_to = v.to_date, reference_days = v.days,
        usage_units = v.usage
    from summed v
    where s.run_date = p_run_date and s.account_id = any (p_account_ids)
      and (s.account_id, s.meter_register_id, s.gap) = (v.account_id, v.meter_register_id, v.gap);
end $$;
