-- Purpose: mark the invalid entries of segment profiles. An entry is one half-hour of one segment's market day. It is
-- marked when it is missing, when too few sites contribute, or when it lies below a third or above three times the
-- median of the same half-hour over the seven days either side (its own day left out).
-- Inputs: run_date; segment-months. Tables written: bua.segment_profile_mark, bua.segment_profile (mask, profile).
-- Safe to rerun: the marks of these segment-months are replaced, and their profiles start again from the average.
create or replace procedure bua.bua_mark_segment_jurisdiction_entries(p_run_date date, p_items text[])
language sql as $$
    delete from bua.segment_profile_mark m
    where m.run_date = p_run_date
      and bua.segment_month(m.jurisdiction, m.customer_class, m.stream_type, m.profile_date) = any (p_items);

    insert into bua.segment_profile_mark (run_date, jurisdiction, customer_class, stream_type, profile_date, half_hour,
                                          reason, site_count, average)
    with parameter as materialized (
        select bua.parameter('profile_min_sites') as min_sites,
               bua.parameter('profile_outlier_factor')::double precision as factor,
               bua.parameter('profile_neighbour_days')::integer as days
    ),
    entry as (
        select p.jurisdiction, p.customer_class, p.stream_type, p.profile_date, v.h, v.n, v.average
        from bua.segment_profile p
        cross join unnest(p.site_counts, p.average) with ordinality as v (n, average, h)
        where p.run_date = p_run_date
          and bua.segment_month(p.jurisdiction, p.customer_class, p.stream_type, p.profile_date) = any (p_items)
    ),
    neighbours as (
        select p.jurisdiction, p.customer_class, p.stream_type, p.profile_date, v.h,
               percentile_cont(0.5) within group (order by v.average) as median
        from bua.segment_profile p
        cross join parameter x
        join bua.segment_profile q using (run_date, jurisdiction, customer_class, stream_type)
        cross join unnest(q.average) with ordinality as v (average, h)
        where p.run_date = p_run_date
          and bua.segment_month(p.jurisdiction, p.customer_class, p.stream_type, p.profile_date) = any (p_items)
          and q.profile_date between p.profile_date - x.days and p.profile_date + x.days
          and q.profile_date <> p.profile_date and v.average is not null
        group by 1, 2, 3, 4, 5
    ),
    judged as (
        select e.*, case when e.n = 0 then 'MISSING'
                         when e.n < x.min_sites then 'FEW_SITES'
                         when e.average < m.median / x.factor then 'LOW'
                         when e.average > m.median * x.factor then 'HIGH' end as reason
        from entry e
        cross join parameter x
        left join neighbours m using (jurisdiction, customer_class, stream_type, profile_date, h)
    )
    select p_run_date, jurisdiction, customer_class, stream_type, profile_date, h, reason, n, average
    from judged where reason is not null;

    update bua.segment_profile p
    set profile = p.average,
        marked_mask = coalesce((
            select bit_or(1::bigint << (m.half_hour - 1)) from bua.segment_profile_mark m
            where (m.run_date, m.jurisdiction, m.customer_class, m.stream_type, m.profile_date)
                = (p.run_date, p.jurisdiction, p.customer_class, p.stream_type, p.profile_date)), 0)
    where p.run_date = p_run_date
      and bua.segment_month(p.jurisdiction, p.customer_class, p.stream_type, p.profile_date) = any (p_items);
$$;
