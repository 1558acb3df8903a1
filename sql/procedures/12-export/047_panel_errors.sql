-- Purpose: what the run's way of estimating would have said of registers whose usage is known, against what they used: the
-- panel of a segment is at most band_registers of its interval registers, without giants, chosen by a hash of their names.
-- A cohort is what the run estimated over the same days from the same last read. Each panel register is treated as the cohort is:
-- its usage of the cohort's days is estimated from the cohort's reference days with the segment's profile. Where fewer than
-- band_min_registers were read on these days, the cohort's days and reference are moved back by whole weeks, up to eight.
-- Of a segment's cohorts the band_cohorts largest are kept; any other counts to the kept one that is most like it.
-- A register takes part when it is known on 90 % of the days; only its known days count, on both sides.
-- units and squares: the sum of the cohort's estimates, and of their squares. predicted and actual are kWh.
-- Input: run_date. Reads only.
create or replace function bua.panel_errors(p_run_date date)
returns table (segment text, cohort bigint, units numeric, squares numeric, meter_register_id bigint, predicted numeric, actual numeric)
language sql stable as $$
    with parameter as materialized (
        select bua.parameter('band_registers') as registers, bua.parameter('band_min_registers') as min_registers,
               bua.parameter('scalar_min_days') as min_days, bua.parameter('scalar_reference_days')::integer as reference_days,
               bua.parameter('season_limit') as season_limit
    ),
    cohort as materialized (
        select c.*, bua.parameter(case split_part(c.segment, '|', 2) when 'BUS' then 'season_power_bus' else 'season_power_res' end) as power
        from bua.band_cohorts(p_run_date) c
    ),
    panel as materialized (
        select * from (
            select u.segment, u.meter_register_id, u.complete,
                   row_number() over (partition by u.segment
                                      order by md5(concat_ws(' ', m.site_id, m.meter_serial, m.register_id)), u.meter_register_id) as place
            from bua.utility_profile_summary u join core.meter_register m using (meter_register_id)
            where u.run_date = p_run_date and not u.is_giant and u.complete_days >= (select min_days from parameter)
              and u.segment in (select segment from cohort)
        ) p
        where place <= (select registers from parameter)
    ),
    known as materialized (   -- register by register: the planner must not read everybody's days
        select p.segment, p.meter_register_id, u.profile_date, u.usage, m.daily_total as macro
        from panel p
        cross join lateral (
            select u.profile_date, u.day_total / 1e6 as usage from bua.utility_profile u
            where u.run_date = p_run_date and u.meter_register_id = p.meter_register_id and u.excluded_mask = 0
              and p.complete @> u.profile_date
            offset 0
        ) u
        join bua.macro_profile m on (m.run_date, m.profile_key, m.profile_date) = (p_run_date, p.segment, u.profile_date)
    ),
    running as materialized (   -- of the days before each day
        select r.segment, r.meter_register_id, d::date as day, coalesce(sum(k.usage) over before, 0) as usage,
               coalesce(sum(k.macro) over before, 0) as macro, count(k.usage) over before as days
        from (select segment, meter_register_id, min(profile_date) as first_day, max(profile_date) as last_day from known group by 1, 2) r
        cross join generate_series(r.first_day::timestamp, r.last_day + interval '1 day', interval '1 day') d
        left join known k on (k.segment, k.meter_register_id, k.profile_date) = (r.segment, r.meter_register_id, d::date)
        window before as (partition by r.segment, r.meter_register_id order by d rows between unbounded preceding and 1 preceding)
    ),
    moved as materialized (
        select c.segment, c.cohort, c.estimator, c.power, weeks, c.gap_from - 7 * weeks as gap_from, c.gap_to - 7 * weeks as gap_to,
               case c.estimator when 'RECENT' then c.gap_from - p.reference_days else c.reference_from end - 7 * weeks as reference_from,
               case c.estimator when 'RECENT' then c.gap_from else c.reference_to end - 7 * weeks as reference_to,
               case c.estimator when 'RECENT' then p.min_days else 0.9 * (c.reference_to - c.reference_from) end as reference_days
        from cohort c cross join parameter p cross join generate_series(0, 8) weeks
    ),
    pair as materialized (
        select m.*, gf.meter_register_id, gt.usage - gf.usage as actual, gt.macro - gf.macro as gap_macro,
               rt.usage - coalesce(rf.usage, 0) as reference_usage, rt.macro - coalesce(rf.macro, 0) as reference_macro
        from moved m
        join running gf on (gf.segment, gf.day) = (m.segment, m.gap_from)
        join running gt on (gt.segment, gt.meter_register_id, gt.day) = (gf.segment, gf.meter_register_id, m.gap_to)
        join running rt on (rt.segment, rt.meter_register_id, rt.day) = (gf.segment, gf.meter_register_id, m.reference_to)
        left join running rf on (rf.segment, rf.meter_register_id, rf.day) = (gf.segment, gf.meter_register_id, m.reference_from)
        where gt.days - gf.days >= 0.9 * (m.gap_to - m.gap_from) and rt.days - coalesce(rf.days, 0) >= m.reference_days
    ),
    chosen as materialized (
        select p.segment, p.cohort, min(p.weeks) as weeks
        from (select segment, cohort, weeks from pair group by 1, 2, 3 having count(*) >= (select min_registers from parameter)) p
        group by 1, 2
    ),
    weight as materialized (
        select distance, round(0.5 ^ (distance / bua.parameter('recent_half_life_days')), 12) as weight
        from generate_series(1, (select bua.parameter('scalar_reference_days'))::integer) distance
    ),
    recent_day as (   -- what lies beyond the end of the run's reads was not known to the cohort
        select c.segment, c.cohort, w.weight, d.day
        from chosen c
        join moved m using (segment, cohort, weeks)
        join bua.segment s on (s.run_date, s.segment) = (p_run_date, c.segment)
        cross join weight w
        cross join lateral (values (m.gap_from - w.distance), (m.gap_to - 1 + w.distance)) d (day)
        where m.estimator = 'RECENT' and d.day <= s.last_date - 7 * c.weeks
    ),
    recent as (
        select r.segment, r.cohort, k.meter_register_id, sum(r.weight * k.usage) as usage, sum(r.weight * k.macro) as macro
        from recent_day r join known k on (k.segment, k.profile_date) = (r.segment, r.day)
        group by 1, 2, 3
    ),
    season as (   -- last year's days now missing, and as many days before them as the reference has
        select p.segment, p.cohort, p.meter_register_id, (u4.usage - u5.usage) / nullif(u4.macro - u5.macro, 0) as s4,
               (u5.usage - u6.usage) / nullif(u5.macro - u6.macro, 0) as s5
        from pair p
        join chosen c using (segment, cohort, weeks)
        join running u4 on (u4.segment, u4.meter_register_id, u4.day) = (p.segment, p.meter_register_id, p.reference_to - 273)
        join running u5 on (u5.segment, u5.meter_register_id, u5.day) = (p.segment, p.meter_register_id, p.reference_to - 365)
        left join running u6 on (u6.segment, u6.meter_register_id, u6.day)
                                = (p.segment, p.meter_register_id, p.reference_to - 365 - (p.reference_to - p.reference_from))
            and u5.days - u6.days >= p.reference_days
        where p.power > 0 and p.estimator = 'WINDOW' and u4.days - u5.days >= 0.9 * 92
    )
    select p.segment, p.cohort, c.units, c.squares, p.meter_register_id,
           p.gap_macro * case when p.estimator = 'RECENT' then r.usage / r.macro
                              when z.s4 > 0 and z.s5 > 0
                                  then p.reference_usage / p.reference_macro * least(greatest(z.s4 / z.s5, 1 / x.season_limit), x.season_limit) ^ p.power
                              when z.s4 > 0 and z.s5 is null and p.power > 0 then sqrt(p.reference_usage / p.reference_macro * z.s4)
                              else p.reference_usage / p.reference_macro end,
           p.actual
    from pair p
    join chosen using (segment, cohort, weeks)
    join cohort c using (segment, cohort)
    cross join parameter x
    left join recent r on (r.segment, r.cohort, r.meter_register_id) = (p.segment, p.cohort, p.meter_register_id)
    left join season z on (z.segment, z.cohort, z.meter_register_id) = (p.segment, p.cohort, p.meter_register_id)
    where p.reference_macro > 0 and (p.estimator <> 'RECENT' or r.macro > 0)
$$;

-- The cohorts of every segment of electricity, the largest first.
create or replace function bua.band_cohorts(p_run_date date)
returns table (segment text, cohort bigint, estimator text, reference_from date, reference_to date, gap_from date, gap_to date,
               units numeric, squares numeric)
language sql stable as $$
    with found as (
        select e.segment, e.estimator, case e.estimator when 'WINDOW' then e.reference_to end as reference_to, e.gap_from, e.gap_to,
               percentile_disc(0.5) within group (order by e.reference_from) as reference_from,
               sum(e.units) as units, sum(e.units * e.units) as squares
        from bua.band_estimates(p_run_date) e
        where e.estimator in ('RECENT', 'WINDOW')
        group by 1, 2, 3, 4, 5
    ),
    ranked as materialized (
        select f.*, row_number() over (partition by f.segment order by f.units desc, f.estimator, f.gap_from, f.gap_to, f.reference_to) as place
        from found f
    ),
    placed as (
        select r.segment, r.units, r.squares, k.place
        from ranked r
        cross join lateral (
            select k.place from ranked k
            where k.segment = r.segment and k.place <= (select bua.parameter('band_cohorts'))
            order by k.place <> r.place, k.estimator <> r.estimator, abs((k.gap_to - k.gap_from) - (r.gap_to - r.gap_from)),
                     abs((k.gap_from - k.reference_to) - (r.gap_from - r.reference_to)), abs(k.gap_to - r.gap_to), k.place
            limit 1
        ) k
    )
    select p.segment, p.place, k.estimator, k.reference_from, k.reference_to, k.gap_from, k.gap_to, sum(p.units), sum(p.squares)
    from placed p join ranked k using (segment, place)
    group by 1, 2, 3, 4, 5, 6, 7
$$;
