-- Purpose: mark the invalid entries of segment profiles. An entry is one half-hour of a segment's market day. It is marked
-- when no site has a value, when fewer than profile_min_sites have one, or when it lies below 1/x or above x times the
-- median of the same half-hour over the neighbouring days, its own day left out (x is profile_outlier_factor, the
-- neighbours are the profile_neighbour_days days on either side).
-- A day whose average could not be worked out is a missing one.
-- Inputs: run_date; segment-months. Tables written: bua.segment_profile_mark; bua.segment_profile (marked_mask, profile).
-- Safe to rerun: replaces the marks of these segment-months, and starts their profiles again from the average.
create or replace procedure bua.bua_mark_segment_jurisdiction_entries(p_run_date date, p_items text[])
language sql as $$
    delete from bua.segment_profile_mark m
    using bua.segment_months(p_items) i
    where m.run_date = p_run_date and m.segment = i.segment and m.profile_date between i.first_day and i.last_day;

    insert into bua.segment_profile (run_date, segment, profile_date, site_counts, average, profile)
    select p_run_date, d.segment, d.profile_date, array_fill(0, array[48]), array_fill(null::double precision, array[48]),
           array_fill(null::double precision, array[48])
    from bua.bua_dates_to_check(p_run_date) d
    where bua.segment_month(d.segment, d.profile_date) = any (p_items)
    on conflict do nothing;

    insert into bua.segment_profile_mark (run_date, segment, profile_date, half_hour, reason, site_count, average)
    with parameter as materialized (
        select bua.parameter('profile_min_sites') as min_sites,
               bua.parameter('profile_outlier_factor')::double precision as factor,
               bua.parameter('profile_neighbour_days')::integer as days
    ),
    nearby as (    -- the entries of these segment-months and of the days around them
        select p.segment, p.profile_date, v.h, v.n, v.average, bua.segment_month(p.segment, p.profile_date) = any (p_items) as is_asked
        from (select segment, min(first_day) as first_day, max(last_day) as last_day from bua.segment_months(p_items) group by 1) i
        cross join parameter x
        join bua.segment_profile p on p.run_date = p_run_date and p.segment = i.segment
            and p.profile_date between i.first_day - x.days and i.last_day + x.days
        cross join unnest(p.site_counts, p.average) with ordinality as v (n, average, h)
    ),
    entry as (
        select n.*, min(average) over w as lowest, max(average) over w as highest
        from nearby n
        window w as (partition by segment, h order by profile_date
                     rows between (select bua.parameter('profile_neighbour_days'))::integer preceding
                                 and (select bua.parameter('profile_neighbour_days'))::integer following)
    ),
    judged as (
        select e.*, case when e.n = 0 then 'MISSING'
                         when e.n < x.min_sites then 'FEW_SITES'
                         when e.average < m.median / x.factor then 'LOW'
                         when e.average > m.median * x.factor then 'HIGH' end as reason
        from entry e
        cross join parameter x
        left join lateral (
            select percentile_cont(0.5) within group (order by q.average[e.h]) as median
            from bua.segment_profile q
            where q.run_date = p_run_date and q.segment = e.segment
              and q.profile_date between e.profile_date - x.days and e.profile_date + x.days
              and q.profile_date <> e.profile_date
              -- A median lies between the lowest and the highest value: only these entries can be too far from it.
              and e.n >= x.min_sites and (e.average > x.factor * e.lowest or e.average < e.highest / x.factor)
        ) m on true
        where e.is_asked
    )
    select p_run_date, segment, profile_date, h, reason, n, average
    from judged where reason is not null;

    update bua.segment_profile p
    set profile = p.average,
        marked_mask = coalesce((
            select bit_or(1::bigint << (m.half_hour - 1)) from bua.segment_profile_mark m
            where (m.run_date, m.segment, m.profile_date) = (p.run_date, p.segment, p.profile_date)), 0)
    from bua.segment_months(p_items) i
    where p.run_date = p_run_date and p.segment = i.segment and p.profile_date between i.first_day and i.last_day;
$$;
