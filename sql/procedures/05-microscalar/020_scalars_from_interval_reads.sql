-- Purpose: READS and OLDER_READS of interval streams: the kWh of their complete, non-estimated days over the macro profile
-- of the same days. Each gap has a reference window of its own, the scalar_reference_days before it: what a customer used
-- before an early hole says little about a late one. A day without a macro value counts on neither side.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, rows without a method. Safe to rerun: changes no other row.
create or replace procedure bua.scalars_from_interval_reads(p_run_date date, p_account_ids text[])
language sql as $$
    with reference as materialized (
        select s.account_id, s.meter_register_id, s.gap, min(u.profile_date) as first_day, max(u.profile_date) as last_day,
               count(*) as days, sum(u.day_total) / 1e6 as usage, sum(m.daily_total) as macro
        from bua.micro_scalar s
        join bua.utility_profile u
            on u.run_date = s.run_date and u.meter_register_id = any (s.register_ids) and u.excluded_mask = 0
            and u.profile_date between s.first_missing - (select bua.parameter('scalar_reference_days'))::integer
                                   and s.first_missing - 1
            and s.occupied @> u.profile_date
        join bua.macro_profile m on (m.run_date, m.profile_key, m.profile_date) = (s.run_date, s.profile_key, u.profile_date)
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.read_type = 'INTERVAL' and s.method is null
        group by 1, 2, 3
    )
    update bua.micro_scalar s
    set method = 'READS', scalar = r.usage / r.macro, reference_from = r.first_day, reference_to = r.last_day,
        reference_days = r.days, usage_units = r.usage, macro_units = r.macro
    from reference r
    where s.run_date = p_run_date and s.account_id = any (p_account_ids)
      and (s.account_id, s.meter_register_id, s.gap) = (r.account_id, r.meter_register_id, r.gap)
      and r.days >= (select bua.parameter('scalar_min_days')) and r.macro > 0;

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
      and s.method is null
$$;
