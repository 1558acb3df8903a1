-- Purpose: fill every marked entry from the best of its equivalent days whose own entry of that half-hour is not marked.
-- Without such a day the entry keeps its average, if it has one.
-- Inputs: run_date; segment-months. Tables written: bua.segment_profile.profile, bua.segment_profile_mark.
-- Safe to rerun, and while other months are filled: it reads averages, which filling never changes.
create or replace procedure bua.bua_fill_marked_segment_jurisdiction_entries(p_run_date date, p_items text[])
language sql as $$
    with marked as materialized (
        select p.segment, array_agg(p.profile_date) as dates
        from bua.segment_months(p_items) i
        join bua.segment_profile p on p.segment = i.segment and p.profile_date between i.first_day and i.last_day
        where p.run_date = p_run_date and p.marked_mask <> 0
        group by 1
    ),
    equivalent as materialized (    -- once for a segment, not for each of its days
        select m.segment, e.*
        from marked m
        cross join lateral (    -- a day that is marked from its first half-hour to its last has nothing to give
            select array_agg(q.profile_date) as dates from bua.segment_profile q
            where q.run_date = p_run_date and q.segment = m.segment and q.marked_mask <> (1::bigint << 48) - 1
        ) s
        cross join lateral bua.equivalent_days(split_part(m.segment, '|', 1), m.dates, s.dates) e
    ),
    source as (
        select q.segment, e.profile_date, q.profile_date as source_date, q.average,
               -- the half-hours that this day can fill and no better day has filled
               ~q.marked_mask & coalesce(bit_and(q.marked_mask) over better_days, -1) as half_hours
        from equivalent e
        join bua.segment_profile q on (q.run_date, q.segment, q.profile_date) = (p_run_date, e.segment, e.source_date)
        window better_days as (partition by q.segment, e.profile_date order by e.preference
                               rows between unbounded preceding and 1 preceding)
    )
    update bua.segment_profile_mark m set source_date = s.source_date, filled = s.average[m.half_hour]
    from source s
    where m.run_date = p_run_date and (m.segment, m.profile_date) = (s.segment, s.profile_date)
      and (s.half_hours >> (m.half_hour - 1)) & 1 = 1;

    update bua.segment_profile p
    set profile = f.profile
    from (
        select p.segment, p.profile_date, array_agg(coalesce(m.filled, v.average) order by v.h) as profile
        from bua.segment_months(p_items) i
        join bua.segment_profile p on p.segment = i.segment and p.profile_date between i.first_day and i.last_day
        cross join unnest(p.average) with ordinality as v (average, h)
        left join bua.segment_profile_mark m
            on (m.run_date, m.segment, m.profile_date, m.half_hour) = (p.run_date, p.segment, p.profile_date, v.h)
        where p.run_date = p_run_date and p.marked_mask <> 0
        group by 1, 2
    ) f
    where p.run_date = p_run_date and (p.segment, p.profile_date) = (f.segment, f.profile_date);
$$;
