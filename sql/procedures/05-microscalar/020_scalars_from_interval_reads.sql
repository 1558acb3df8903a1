-- Purpose: RECENT_DAYS and OLDER_READS of interval streams: the kWh of their complete, non-estimated days over the macro
-- profile of the same days. Each gap has a reference of its own: the days within scalar_reference_days on either side of
-- it, the nearest of which count most (half as much for every recent_half_life_days further away). What a customer used
-- last week says more than what they used last quarter. A day without a macro value counts on neither side.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, rows without a method. Safe to rerun: changes no other row.
create or replace procedure bua.scalars_from_interval_reads(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    with weight as materialized (   -- exact numerics: a sum does not depend on its order
        select distance, round(0.5 ^ (distance / bua.parameter('recent_half_life_days')), 12) as weight
        from generate_series(1, (select bua.parameter('scalar_reference_days'))::integer) distance
    ),
    reference as materialized (
        select s.account_id, s.meter_register_id, s.gap, min(u.profile_date) as first_day, max(u.profile_date) as last_day,
               count(*) as days, sum(u.day_total) / 1e6 as usage, sum(m.daily_total) as macro,
               sum(w.weight * u.day_total) / 1e6 as weighted_usage, sum(w.weight * m.daily_total) as weighted_macro
        from bua.micro_scalar s
        join bua.utility_profile u
            on u.run_date = s.run_date and u.meter_register_id = any (s.register_ids) and u.excluded_mask = 0
            and u.profile_date between s.first_missing - (select bua.parameter('scalar_reference_days'))::integer
                                   and s.last_missing + (select bua.parameter('scalar_reference_days'))::integer
            and s.occupied @> u.profile_date
        join weight w on w.distance = greatest(s.first_missing - u.profile_date, u.profile_date - s.last_missing)
        join bua.macro_profile m on (m.run_date, m.profile_key, m.profile_date) = (s.run_date, s.profile_key, u.profile_date)
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.read_type = 'INTERVAL' and s.method is null
        group by 1, 2, 3
    )
    update bua.micro_scalar s
    set method = 'RECENT_DAYS', scalar = r.weighted_usage / r.weighted_macro, reference_from = r.first_day,
        reference_to = r.last_day, reference_days = r.days, usage_units = r.usage, macro_units = r.macro
    from reference r
    where s.run_date = p_run_date and s.account_id = any (p_account_ids)
      and (s.account_id, s.meter_register_id, s.gap) = (r.account_id, r.meter_register_id, r.gap)
      and r.days >= (select bua.parameter('scalar_min_days')) and r.weighted_macro > 0;

    with older as materialized (
        select t.account_id, t.meter_register_id, r.*
        from (
            select distinct account_id, meter_register_id, register_ids, occupied, profile_key
            from bua.micro_scalar
            where run_date = p_run_date and account_id = any (p_account_ids) and read_type = 'INTERVAL' and method is null
        ) t
        cross join lateral bua.latest_complete_days(p_run_date, t.register_ids, t.occupied, t.profile_key) r
    )
    update bua.micro_scalar s
    set method = 'OLDER_READS', scalar = r.usage / r.macro, reference_from = r.from_date, reference_to = r.to_date - 1,
        reference_days = r.days, usage_units = r.usage, macro_units = r.macro
    from older r
    where s.run_date = p_run_date and s.account_id = any (p_account_ids)
      and (s.account_id, s.meter_register_id) = (r.account_id, r.meter_register_id)
      and s.method is null;
end $$;
