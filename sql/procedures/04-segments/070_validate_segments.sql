-- Purpose: Validate: compare the profiled kWh of each segment-month with the platform's own billable quantities, and record
-- the variance. A variance above validate_tolerance_percent is an anomaly: somebody should look at it, but it stops nothing.
-- The two differ a little even when all is well, because a month of market days is not exactly a month of local bill days.
-- Inputs: run_date; segment-months. Tables written: bua.utility_profile_variance. Safe to rerun: replaces its rows.
create or replace procedure bua.validate_segments(p_run_date date, p_items text[])
language sql as $$
    insert into bua.utility_profile_variance
    with month as materialized (
        select distinct d.segment, date_trunc('month', d.profile_date)::date as first_day
        from bua.bua_dates_to_check(p_run_date) d
        where bua.segment_month(d.segment, d.profile_date) = any (p_items)
    ),
    register as materialized (  -- once for all its months: a register's days lie beside each other
        select r.segment, r.meter_register_id, greatest(r.from_date, m.first_day) as first_day, least(r.to_date, m.last_day) as last_day
        from (
            select segment, min(first_day) as first_day, (max(first_day) + interval '1 month')::date - 1 as last_day
            from month group by 1
        ) m
        join bua.bua_list_profile_registers(p_run_date, null, array(select distinct segment from month)) r using (segment)
        where r.from_date <= m.last_day and r.to_date >= m.first_day
    ),
    unit as (
        select r.segment, u.first_day, sum(u.profile) as profile, sum(u.platform) as platform
        from register r
        cross join lateral (
            select date_trunc('month', p.profile_date)::date as first_day, sum(p.day_total) as profile, 0 as platform
            from bua.utility_profile p
            where p.run_date = p_run_date and p.meter_register_id = r.meter_register_id
              and p.profile_date between r.first_day and r.last_day
            group by 1
            union all
            select date_trunc('month', a.from_date)::date, 0, sum(a.quantity)
            from core.aggregated_read a
            where a.meter_register_id = r.meter_register_id and a.origin = 'PLATFORM'
              and a.from_date between r.first_day and r.last_day
            group by 1
        ) u
        group by 1, 2
    ),
    compared as (
        select segment, first_day, coalesce(u.profile, 0) / 1e6 as profile_units, coalesce(u.platform, 0) as platform_units
        from month m
        left join unit u using (segment, first_day)
        where exists (select from register r where r.segment = m.segment
                      and r.first_day < m.first_day + interval '1 month' and r.last_day >= m.first_day)
    ),
    judged as (
        select *, 100 * (profile_units - platform_units) / nullif(platform_units, 0) as variance_percent from compared
    )
    select p_run_date, segment, to_char(first_day, 'YYYY-MM'), profile_units, platform_units, round(variance_percent, 3),
           coalesce(abs(variance_percent) > (select bua.parameter('validate_tolerance_percent')), profile_units <> platform_units)
    from judged
    on conflict (run_date, segment, year_month)
    do update set profile_units = excluded.profile_units, platform_units = excluded.platform_units,
                  variance_percent = excluded.variance_percent, is_anomaly = excluded.is_anomaly
$$;
