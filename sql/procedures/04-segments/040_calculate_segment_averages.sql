-- Purpose: SegmentJurisdictionAvgExclEst: for every half-hour the plain average, in kWh, over the segment's registers that
-- have a non-estimated value there, without the giants.
-- Inputs: run_date; segment-months, such as NSW|RES|PRIMARY|2026-10. Tables written: bua.segment_profile.
-- Safe to rerun: replaces its rows.
create or replace procedure bua.calculate_segment_averages(p_run_date date, p_items text[])
language sql as $$
    insert into bua.segment_profile (run_date, segment, profile_date, site_counts, average, profile)
    with day as materialized (
        select c.* from bua.bua_dates_to_check(p_run_date) c
        where bua.segment_month(c.segment, c.profile_date) = any (p_items)
    ),
    giant as materialized (     -- first: there are few of them, and many registers
        select r.*
        from (
            select coalesce(array_agg(m.site_id), '{}') as site_ids
            from bua.utility_profile_summary g join core.meter_register m using (meter_register_id)
            where g.run_date = p_run_date and g.is_giant and g.segment in (select segment from day)
        ) s
        cross join lateral bua.bua_list_profile_registers(p_run_date, s.site_ids, array(select distinct segment from day)) r
        join bua.utility_profile_summary g on g.run_date = p_run_date and g.is_giant
            and g.meter_register_id = r.meter_register_id and g.segment = r.segment
    ),
    part as (
        select d.*, v.h, v.n::bigint as n, v.total
        from day d
        join bua.segment_partial p using (segment, profile_date)
        cross join unnest(p.counts, p.totals) with ordinality as v (n, total, h)
        where p.run_date = p_run_date
        union all
        -- The sums include the giants: subtract the same integers that were added.
        select d.*, v.h, -1, -v.value * (10 ^ (6 - u.scale))::bigint
        from day d
        join giant r on r.segment = d.segment and d.profile_date between r.from_date and r.to_date
        join bua.utility_profile u on u.run_date = p_run_date
            and u.meter_register_id = r.meter_register_id and u.profile_date = d.profile_date
        cross join unnest(u.half_hours) with ordinality as v (value, h)
        where (u.excluded_mask >> (v.h - 1)::integer) & 1 = 0
        union all
        select d.*, h, 0, 0 from day d cross join generate_series(1, 48) h
    ),
    half_hour as (
        select segment, profile_date, h, sum(n)::integer as n,
               sum(total)::double precision / 1e6 / nullif(sum(n), 0)::double precision as average
        from part group by 1, 2, 3
    )
    select p_run_date, segment, profile_date, array_agg(n order by h), array_agg(average order by h), array_agg(average order by h)
    from half_hour group by segment, profile_date
    on conflict (run_date, segment, profile_date)
    do update set site_counts = excluded.site_counts, average = excluded.average, profile = excluded.profile, marked_mask = 0
$$;
