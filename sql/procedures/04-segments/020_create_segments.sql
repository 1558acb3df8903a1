-- Purpose: the run's segments, the market days that they span and their giants, from what site-data wrote.
-- A giant uses more than giant_factor times its segment's median a day. It is kept out of the segment's average, which a
-- single giant would spoil. The span begins profile_season_days before the first read: these days are missing and are
-- filled like others, because a basic meter's reads may reach further back than the segment's interval reads.
-- Input: run_date. Tables written: bua.segment, bua.utility_profile_summary.is_giant.
-- Safe to rerun: the run type's reset empties bua.segment first.
create or replace procedure bua.create_segments(p_run_date date)
language sql as $$
    insert into bua.segment (run_date, segment, first_date, last_date, median_daily)
    select p_run_date, p.segment,
           greatest(p.first_date - (select bua.parameter('profile_season_days'))::integer, r.profile_start), d.last_date, s.median_daily
    from (
        select segment, split_part(segment, '|', 1) as jurisdiction, min(profile_date) as first_date
        from bua.segment_partial where run_date = p_run_date group by 1
    ) p
    join bua.run r on r.run_date = p_run_date
    join (
        select d.jurisdiction, max(d.profile_date) as last_date
        from bua.run r join bua.market_day d on d.local_date = r.accrual_date where r.run_date = p_run_date group by 1
    ) d using (jurisdiction)
    left join (
        select segment, percentile_cont(0.5) within group (order by complete_total / 1e6 / complete_days)::numeric as median_daily
        from bua.utility_profile_summary where run_date = p_run_date and complete_days > 0 group by 1
    ) s using (segment);

    update bua.utility_profile_summary u
    set is_giant = u.complete_days > 0
        and u.complete_total / 1e6 / u.complete_days > (select bua.parameter('giant_factor')) * s.median_daily
    from bua.segment s
    where u.run_date = p_run_date and s.run_date = p_run_date and s.segment = u.segment;
$$;
