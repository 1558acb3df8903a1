-- Purpose: fill marked entries from the equivalent day: the nearest day of the same day type whose entry of that
-- half-hour is not marked, within the season; else around the same date (364 days earlier, so that weekdays meet) of last year;
-- a public holiday that finds no other takes a weekend day. Without any, the entry keeps its average, if it has one.
-- Inputs: run_date; segment-months. Tables written: bua.segment_profile.profile, bua.segment_profile_mark.
-- Safe to rerun, and beside other months: sources are unmarked averages, which filling never changes.
create or replace procedure bua.bua_fill_marked_segment_jurisdiction_entries(p_run_date date, p_items text[])
language sql as $$
    with hopeless as materialized (   -- half-hours that are marked on every day: a thin segment has nothing else
        select p.segment, bit_and(p.marked_mask) as half_hours
        from bua.segment_profile p where p.run_date = p_run_date group by 1
    ),
    mark as materialized (
        select m.*, p.day_type
        from bua.segment_profile_mark m
        join bua.segment_profile p using (run_date, segment, profile_date)
        join hopeless h on h.segment = m.segment and (h.half_hours >> (m.half_hour - 1)) & 1 = 0
        where m.run_date = p_run_date and bua.segment_month(m.segment, m.profile_date) = any (p_items)
    ),
    attempt (rank, years_back, is_weekend_allowed) as (
        values (1, 0, false), (2, 1, false), (3, 0, true), (4, 1, true)
    ),
    source as (
        select m.segment, m.profile_date, m.half_hour, s.source_date, s.filled
        from mark m
        cross join lateral (
            select q.profile_date as source_date, q.average[m.half_hour] as filled
            from attempt t
            join bua.segment_profile q
                on q.run_date = m.run_date and q.segment = m.segment
                and q.profile_date between m.profile_date - 364 * t.years_back - (select bua.parameter('profile_season_days'))::integer
                                       and m.profile_date - 364 * t.years_back + (select bua.parameter('profile_season_days'))::integer
                and (q.day_type = m.day_type or t.is_weekend_allowed and m.day_type = 'HOLIDAY' and q.day_type = 'WEEKEND')
                and (q.marked_mask >> (m.half_hour - 1)) & 1 = 0
            order by t.rank, abs(q.profile_date - (m.profile_date - 364 * t.years_back)), q.profile_date
            limit 1
        ) s
    )
    update bua.segment_profile_mark m set source_date = s.source_date, filled = s.filled
    from source s
    where m.run_date = p_run_date
      and (m.segment, m.profile_date, m.half_hour) = (s.segment, s.profile_date, s.half_hour);

    update bua.segment_profile p
    set profile = f.profile
    from (
        select p.segment, p.profile_date, array_agg(coalesce(m.filled, v.average) order by v.h) as profile
        from bua.segment_profile p
        cross join unnest(p.average) with ordinality as v (average, h)
        left join bua.segment_profile_mark m
            on (m.run_date, m.segment, m.profile_date, m.half_hour) = (p.run_date, p.segment, p.profile_date, v.h)
        where p.run_date = p_run_date and p.marked_mask <> 0
          and bua.segment_month(p.segment, p.profile_date) = any (p_items)
        group by 1, 2
    ) f
    where p.run_date = p_run_date and (p.segment, p.profile_date) = (f.segment, f.profile_date);
$$;
