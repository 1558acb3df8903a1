-- Purpose: SegmentJurisdictionAvgExclEst: for every half-hour the average, in kWh, over the segment's registers that have a
-- non-estimated value there, weighted by their level and without the giants: the sum of their values divided by the sum of
-- their weights (see weigh_registers).
-- Inputs: run_date; segment-months, such as NSW|RES|PRIMARY|2026-10. Tables written: bua.segment_profile.
-- Safe to rerun: replaces its rows.
create or replace procedure bua.calculate_segment_averages(p_run_date date, p_items text[])
language sql as $$
    insert into bua.segment_profile (run_date, segment, profile_date, site_counts, average, profile)
    with day as materialized (
        select c.* from bua.bua_dates_to_check(p_run_date) c
        where bua.segment_month(c.segment, c.profile_date) = any (p_items)
    ),
    giant_day as (
        select d.*, u.scale, u.half_hours, u.excluded_mask
        from bua.utility_profile_summary g
        join day d on d.segment = g.segment
        join bua.utility_profile u on u.run_date = p_run_date
            and u.meter_register_id = g.meter_register_id and u.profile_date = d.profile_date
        where g.run_date = p_run_date and g.is_giant
          and (g.complete @> d.profile_date or exists (   -- the day is the segment's
              select from bua.incomplete_day i
              where (i.run_date, i.segment, i.profile_date, i.meter_register_id)
                  = (p_run_date, d.segment, d.profile_date, g.meter_register_id)))
    ),
    incomplete as (
        select d.segment, d.profile_date, i.excluded_mask, sum(u.weight) as weight
        from day d
        join bua.incomplete_day i on i.run_date = p_run_date and i.segment = d.segment and i.profile_date = d.profile_date
        join bua.utility_profile_summary u on u.run_date = p_run_date
            and u.meter_register_id = i.meter_register_id and u.segment = d.segment and not u.is_giant
        group by 1, 2, 3
    ),
    part as (
        select d.*, v.h, v.n::bigint as n, v.total, 0::numeric as weight
        from day d
        join bua.segment_partial p using (segment, profile_date)
        cross join unnest(p.counts, p.totals) with ordinality as v (n, total, h)
        where p.run_date = p_run_date
        union all
        -- The sums include the giants: subtract the same integers that were added.
        select g.segment, g.profile_date, v.h, -1, -v.value * (10 ^ (6 - g.scale))::bigint, 0
        from giant_day g
        cross join unnest(g.half_hours) with ordinality as v (value, h)
        where (g.excluded_mask >> (v.h - 1)::integer) & 1 = 0
        union all
        select i.segment, i.profile_date, h, 0, 0, i.weight
        from incomplete i cross join generate_series(1, 48) h
        where (i.excluded_mask >> (h - 1)) & 1 = 0
        union all
        select d.*, h, 0, 0, coalesce(s.weight, 0)
        from day d
        left join bua.segment_day s on (s.run_date, s.segment, s.profile_date) = (p_run_date, d.segment, d.profile_date)
        cross join generate_series(1, 48) h
    ),
    half_hour as (
        select segment, profile_date, h, sum(n)::integer as n,
               case when sum(n) > 0   -- micro-kWh and millionths
                    then coalesce(sum(total)::double precision / nullif(sum(weight), 0)::double precision, 0) end as average
        from part group by 1, 2, 3
    )
    select p_run_date, segment, profile_date, array_agg(n order by h), array_agg(average order by h), array_agg(average order by h)
    from half_hour group by segment, profile_date
    on conflict (run_date, segment, profile_date)
    do update set site_counts = excluded.site_counts, average = excluded.average, profile = excluded.profile, marked_mask = 0
$$;
