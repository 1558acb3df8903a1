-- Purpose: LAST_YEAR: the kWh or MJ read on the same days last year (364 days back, so that weekdays meet), however few
-- they are, over the macro profile of those days.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, rows without a method. Safe to rerun: changes no other row.
create or replace procedure bua.scalars_from_last_year(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    with target as materialized (
        select s.account_id, s.meter_register_id, s.gap, s.occupied, s.profile_key, u.unbilled, row_number() over () as stream
        from bua.micro_scalar s
        join bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u on u.account_id = s.account_id
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.read_type = 'BASIC' and s.method is null
    ),
    reference as (
        select s.account_id, s.meter_register_id, s.gap, u.profile_date as from_date, u.profile_date as to_date, 1 as days,
               u.day_total / 1e6 as usage, m.daily_total as macro
        from bua.micro_scalar s
        join bua.utility_profile u
            on u.run_date = s.run_date and u.meter_register_id = any (s.register_ids) and u.excluded_mask = 0
            and u.profile_date between s.first_missing - 364 and s.last_missing - 364 and s.occupied @> u.profile_date
        join bua.macro_profile m on (m.run_date, m.profile_key, m.profile_date) = (s.run_date, s.profile_key, u.profile_date)
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.read_type = 'INTERVAL' and s.method is null
        union all
        select s.account_id, s.meter_register_id, s.gap, x.from_date, x.to_date - 1, x.to_date - x.from_date, x.quantity, x.macro
        from (select array_agg(meter_register_id order by stream) as ids, array_agg(occupied order by stream) as occupied,
                     array_agg(profile_key order by stream) as keys from target) l
        cross join lateral bua.actual_spans(p_run_date, l.ids, l.occupied, l.keys) x
        join target s using (stream)
        where x.from_date < upper(s.unbilled) - 364 and x.to_date > lower(s.unbilled) - 364
    ),
    summed as materialized (
        select account_id, meter_register_id, gap, min(from_date) as from_date, max(to_date) as to_date, sum(days) as days,
               sum(usage) as usage, sum(macro) as macro
        from reference group by 1, 2, 3 having sum(macro) > 0
    )
    update bua.micro_scalar s
    set method = 'LAST_YEAR', scalar = v.usage / v.macro, reference_from = v.from_date, reference_to = v.to_date,
        reference_days = v.days, usage_units = v.usage, macro_units = v.macro
    from summed v
    where s.run_date = p_run_date and s.account_id = any (p_account_ids)
      and (s.account_id, s.meter_register_id, s.gap) = (v.account_id, v.meter_register_id, v.gap);
end $$;
