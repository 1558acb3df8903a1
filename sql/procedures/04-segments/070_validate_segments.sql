-- Purpose: Validate: compare the profiled kWh of each segment-month with the platform's own billable quantities, and record
-- the variance. A variance above validate_tolerance_percent is an anomaly: somebody should look at it, but it stops nothing.
-- The two differ a little even when all is well, because a month of market days is not exactly a month of local bill days.
-- Inputs: run_date; segment-months. Tables written: bua.utility_profile_variance. Safe to rerun: replaces its rows.
create or replace procedure bua.validate_segments(p_run_date date, p_items text[])
language sql as $$
    insert into bua.utility_profile_variance
    with month as (
        select distinct d.segment, date_trunc('month', d.profile_date)::date as first_day
        from bua.bua_dates_to_check(p_run_date) d
        where bua.segment_month(d.segment, d.profile_date) = any (p_items)
    ),
    register as (
        select m.first_day, r.*, greatest(r.from_date, m.first_day) as month_from,
               least(r.to_date, (m.first_day + interval '1 month')::date - 1) as month_to
        from month m
        join bua.bua_list_profile_registers(p_run_date) r using (segment)
        where r.from_date < m.first_day + interval '1 month' and r.to_date >= m.first_day
    ),
    compared as (
        select segment, first_day, sum(p.units) as profile_units, sum(a.units) as platform_units
        from register r
        cross join lateral (
            select coalesce(sum(u.day_total), 0) / 1e6 as units from bua.utility_profile u
            where u.run_date = p_run_date and u.meter_register_id = r.meter_register_id
              and u.profile_date between r.month_from and r.month_to
        ) p
        cross join lateral (
            select coalesce(sum(a.quantity), 0) as units from core.aggregated_read a
            where a.meter_register_id = r.meter_register_id and a.origin = 'PLATFORM'
              and a.from_date between r.month_from and r.month_to
        ) a
        group by 1, 2
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
