-- Purpose: READS and OLDER_READS of interval streams: the kWh of their complete, non-estimated days over the macro profile
-- of the same days. A day without a macro value counts on neither side.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, rows without a method. Safe to rerun: changes no other row.
create or replace procedure bua.scalars_from_interval_reads(p_run_date date, p_account_ids text[])
language sql as $$
    with complete_day as materialized (
        select s.account_id, s.meter_register_id, u.profile_date, u.day_total, m.daily_total,
               u.profile_date between s.first_missing - (select bua.parameter('scalar_reference_days'))::integer
                                  and s.first_missing - 1 as is_in_window,
               row_number() over (partition by s.account_id, s.meter_register_id order by u.profile_date desc) as recency
        from bua.micro_scalar s
        join bua.utility_profile u
            on u.run_date = s.run_date and u.meter_register_id = any (s.register_ids) and u.excluded_mask = 0
            and s.occupied @> u.profile_date
        join bua.macro_profile m on (m.run_date, m.profile_key, m.profile_date) = (s.run_date, s.profile_key, u.profile_date)
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.read_type = 'INTERVAL' and s.method is null
    ),
    reference as (
        select 1 as rank, 'READS' as method, * from complete_day where is_in_window
        union all
        select 2, 'OLDER_READS', * from complete_day where recency <= (select bua.parameter('scalar_reference_days'))
    ),
    candidate as (
        select distinct on (account_id, meter_register_id) *
        from (
            select rank, method, account_id, meter_register_id, min(profile_date) as first_day, max(profile_date) as last_day,
                   count(*) as days, sum(day_total) / 1e6 as usage, sum(daily_total) as macro
            from reference group by rank, method, account_id, meter_register_id
        ) c
        where c.days >= (select bua.parameter('scalar_min_days')) and c.macro > 0
        order by account_id, meter_register_id, rank
    )
    update bua.micro_scalar s
    set method = c.method, scalar = c.usage / c.macro, reference_from = c.first_day, reference_to = c.last_day,
        reference_days = c.days, usage_units = c.usage, macro_units = c.macro
    from candidate c
    where s.run_date = p_run_date and (s.account_id, s.meter_register_id) = (c.account_id, c.meter_register_id)
$$;
