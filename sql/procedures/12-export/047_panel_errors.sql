-- Purpose: what the run's way of estimating would have said of registers whose usage is known, against what they used: the
-- panel of a segment is at most band_registers of its interval registers, without giants, chosen by a hash of their names.
-- A cohort is what the run estimated over the same days from the same last read. Each panel register is treated as the cohort is:
-- its usage of the cohort's days is estimated from the cohort's reference days with the segment's profile. Where fewer than
-- band_min_registers were read on these days, the cohort's days and reference are moved back by whole weeks, up to eight.
-- Of a segment's cohorts the band_cohorts largest are kept; any other counts to the kept one that is most like it.
-- A register takes part when it is known on 90 % of the days; only its known days count, on both sides.
-- units and squares: the sum of the cohort's estimates, and of their squares. predicted and actual are kWh.
-- Input: run_date. Reads only. Without nested loops: the planner does not know how many days and cohorts the steps make.
create or replace function bua.panel_errors(p_run_date date)
returns table (segment text, cohort bigint, estimator text, gap_days integer, units numeric, squares numeric,
               meter_register_id bigint, predicted numeric, actual numeric)
language sql stable set enable_nestloop = off set jit = off as $$
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
            select u.profile_date, u.day_total as usage from bua.utility_profile u
            where u.run_date = p_run_date and u.meter_register_id = p.meter_register_id and u.excluded_mask = 0
              and p.complete @> u.profile_date
            offset 0
        ) u
        join bua.macro_profile m on (m.run_date, m.profile_key, m.profile_date) = (p_run_date, p.segment, u.profile_date)
    ),
    register as materialized (   -- running totals of the days before each day, micro-kWh: an array finds a day's without a search
        select d.segment, d.meter_register_id, min(d.day) as first_day, array_agg(d.usage order by d.day) as usage,
               array_agg(d.macro order by d.day) as macro, array_agg(d.days order by d.day) as days
        from (
            select k.segment, k.meter_register_id, k.day, coalesce(sum(sum(k.usage)) over before, 0)::bigint as usage,
                   coalesce(sum(sum(round(k.macro * 1e6))) over before, 0)::bigint as macro,
                   coalesce(sum(count(k.usage)) over before, 0)::bigint as days
            from (   -- not a join: the planner would look at every day of a register for each of them
                select segment, meter_register_id, profile_date as day, usage, macro from known
                union all
                select r.segment, r.meter_register_id, d::date, null, null
                from (select segment, meter_register_id, min(profile_date) as first_day, max(profile_date) as last_day from known group by 1, 2) r
                cross join generate_series(r.first_day::timestamp, r.last_day + interval '1 day', interval '1 day') d
            ) k
            group by 1, 2, 3
            window before as (partition by k.segment, k.meter_register_id order by k.day rows between unbounded preceding and 1 preceding)
        ) d
        group by 1, 2
    ),
    moved as materialized (
        select c.segment, c.cohort, c.estimator, c.power, weeks, c.gap_from - 7 * weeks as gap_from, c.gap_to - 7 * weeks as gap_to,
               case c.estimator when 'RECENT' then c.gap_from - p.reference_days else c.reference_from end - 7 * weeks as reference_from,
               case c.estimator when 'RECENT' then c.gap_from else c.reference_to end - 7 * weeks as reference_to,
               case c.estimator when 'RECENT' then p.min_days else 0.9 * (c.reference_to - c.reference_from) end as reference_days
        from cohort c cross join parameter p cross join generate_series(0, 8) weeks
    ),
    pair as materialized (
        select m.*, r.meter_register_id, i.*, r.first_day
        from moved m
        join register r using (segment)
        cross join lateral (
            select r.usage[m.gap_to - r.first_day + 1] - r.usage[m.gap_from - r.first_day + 1] as actual,
                   r.macro[m.gap_to - r.first_day + 1] - r.macro[m.gap_from - r.first_day + 1] as gap_macro,
                   r.days[m.gap_to - r.first_day + 1] - r.days[m.gap_from - r.first_day + 1] as gap_days,
                   r.usage[m.reference_to - r.first_day + 1] - coalesce(r.usage[m.reference_from - r.first_day + 1], 0) as reference_usage,
                   r.macro[m.reference_to - r.first_day + 1] - coalesce(r.macro[m.reference_from - r.first_day + 1], 0) as reference_macro,
                   r.days[m.reference_to - r.first_day + 1] - coalesce(r.days[m.reference_from - r.first_day + 1], 0) as known_days
        ) i
        where i.gap_days >= 0.9 * (m.gap_to - m.gap_from) and i.known_days >= m.reference_days and i.reference_macro > 0
    ),
    chosen as materialized (
        select p.segment, p.cohort, min(p.weeks) as weeks
        from (select segment, cohort, weeks from pair group by 1, 2, 3 having count(*) >= (select min_registers from parameter)) p
        group by 1, 2
    ),
    tried as materialized (
        select p.* from pair p join chosen using (segment, cohort, weeks)
    ),
    weight as materialized (
        select distance, round(0.5 ^ (distance / bua.parameter('recent_half_life_days')), 12) as weight
        from generate_series(1, (select bua.parameter('scalar_reference_days'))::integer) distance
    ),
    recent as materialized (   -- what lies beyond the end of the run's reads was not known to the cohort
        select t.segment, t.cohort, t.meter_register_id, w.usage, w.macro
        from tried t
        join register r using (segment, meter_register_id)
        join (select segment, last_date from bua.segment where run_date = p_run_date) s using (segment)
        cross join lateral (   -- by itself, so that nobody sorts arrays
            select sum(w.weight * (r.usage[d.i + 1] - r.usage[d.i])) as usage, sum(w.weight * (r.macro[d.i + 1] - r.macro[d.i])) as macro
            from weight w
            cross join lateral (values (t.gap_from - w.distance - t.first_day + 1), (t.gap_to - 1 + w.distance - t.first_day + 1)) d (i)
            where t.first_day + d.i - 1 <= s.last_date - 7 * t.weeks
        ) w
        where t.estimator = 'RECENT'
    ),
    season as materialized (   -- last year's days now missing, and as many days before them as the reference has
        select t.segment, t.cohort, t.meter_register_id,
               (r.usage[d.i + 92] - r.usage[d.i])::numeric / nullif(r.macro[d.i + 92] - r.macro[d.i], 0) as s4,
               case when r.days[d.i] - r.days[d.i - d.length] >= t.reference_days
                    then (r.usage[d.i] - r.usage[d.i - d.length])::numeric / nullif(r.macro[d.i] - r.macro[d.i - d.length], 0) end as s5
        from tried t
        join register r using (segment, meter_register_id)
        cross join lateral (select t.reference_to - 365 - t.first_day + 1 as i, t.reference_to - t.reference_from as length) d
        where t.power > 0 and t.estimator = 'WINDOW' and r.days[d.i + 92] - r.days[d.i] >= 0.9 * 92
    )
    select t.segment, t.cohort, t.estimator, t.gap_to - t.gap_from, c.units, c.squares, t.meter_register_id,
           t.gap_macro / 1e6 * case when t.estimator = 'RECENT' then r.usage / r.macro
                                    when z.s4 > 0 and z.s5 > 0
                                        then s.s1 * least(greatest(z.s4 / z.s5, 1 / x.season_limit), x.season_limit) ^ t.power
                                    when z.s4 > 0 and z.s5 is null then sqrt(s.s1 * z.s4)
                                    else s.s1 end,
           t.actual / 1e6
    from tried t
    join cohort c using (segment, cohort)
    cross join parameter x
    cross join lateral (select t.reference_usage::numeric / t.reference_macro as s1) s
    left join recent r using (segment, cohort, meter_register_id)
    left join season z using (segment, cohort, meter_register_id)
    where t.estimator <> 'RECENT' or r.macro > 0
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
