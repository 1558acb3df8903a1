-- Purpose: the days whose values may stand in for a day that has none, the best first (preference 1). First come the days
-- of the same type (see day_type) within profile_season_days, nearest first, the earlier of two that are as near; then
-- those around the same date last year (364 days back, so that weekdays meet). For a public holiday, weekend days follow.
-- Inputs: jurisdiction; the days that need a value; those that have one to give. Reads only.
create or replace function bua.equivalent_days(p_jurisdiction text, p_dates date[], p_sources date[])
returns table (profile_date date, source_date date, preference bigint)
language sql stable as $$
    with nearby as materialized (
        select n.*
        from (
            select d.profile_date, d.profile_date - 364 * years_back + distance as source_date, years_back, abs(distance) as distance
            from (select bua.parameter('profile_season_days')::integer as season) p
            cross join unnest(p_dates) as d (profile_date)
            cross join generate_series(0, 1) as years_back
            cross join generate_series(-p.season, p.season) as distance
        ) n
        where n.source_date in (select unnest(p_sources))
    ),
    calendar as materialized (
        select n.day, t.day_type
        from (select unnest(p_dates) as day union select unnest(p_sources)) n cross join lateral bua.day_type(p_jurisdiction, n.day) t
    )
    select n.profile_date, n.source_date,
           row_number() over (partition by n.profile_date
                              order by s.day_type <> d.day_type, n.years_back, n.distance, n.source_date)
    from nearby n
    join calendar d on d.day = n.profile_date
    join calendar s on s.day = n.source_date
    where n.source_date <> n.profile_date
      and (s.day_type = d.day_type or (d.day_type, s.day_type) = ('HOLIDAY', 'WEEKEND'))
$$;
