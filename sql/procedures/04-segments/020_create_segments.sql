-- Purpose: the run's segments, the market days that they span, their giants and the weights of their other registers, from
-- what site-data wrote. A giant uses more than giant_factor times its segment's median a day. It is kept out of the segment's
-- average, which a single giant would spoil. The span begins profile_season_days before the first read: these days are missing
-- and are filled like others, because a basic meter's reads may reach further back than the segment's interval reads.
-- Input: run_date. Tables written: bua.segment, bua.segment_day, bua.utility_profile_summary (is_giant, weight).
-- Safe to rerun: the run type's reset empties bua.segment and bua.segment_day first.
create or replace procedure bua.create_segments(p_run_date date)
language plpgsql as $$
begin
    -- Every day from a segment's first to its last.
    insert into bua.segment_day (run_date, segment, profile_date, complete_total)
    with partial as materialized (
        select segment, profile_date, sum(complete_total) as complete_total
        from bua.segment_partial where run_date = p_run_date group by 1, 2
    )
    select p_run_date, s.segment, d::date, coalesce(p.complete_total, 0)
    from (select segment, min(profile_date)::timestamp as first_date, max(profile_date) as last_date from partial group by 1) s
    cross join generate_series(s.first_date, s.last_date, interval '1 day') d
    left join partial p on p.segment = s.segment and p.profile_date = d::date;

    call bua.analyze_run('segment_day', p_run_date);

    insert into bua.segment (run_date, segment, first_date, last_date, median_daily)
    select p_run_date, p.segment,
           greatest(p.first_date - (select bua.parameter('profile_season_days'))::integer, r.reads_start), d.last_date, s.median_daily
    from (
        select segment, split_part(segment, '|', 1) as jurisdiction, min(profile_date) as first_date
        from bua.segment_day where run_date = p_run_date group by 1
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
    set is_giant = not u.is_giant, weight = null
    from bua.segment s
    where u.run_date = p_run_date and s.run_date = p_run_date and s.segment = u.segment
      and u.is_giant is distinct from (
          u.complete_days > 0
          and u.complete_total / 1e6 / u.complete_days > (select bua.parameter('giant_factor')) * s.median_daily);

    -- The sums include the giants: subtract the same integers that were added.
    update bua.segment_day d
    set complete_total = d.complete_total - g.total
    from (
        select s.segment, u.profile_date, sum(u.day_total) as total
        from bua.utility_profile_summary s
        cross join unnest(s.complete) r
        join bua.utility_profile u on u.run_date = p_run_date and u.meter_register_id = s.meter_register_id
            and u.profile_date >= lower(r) and u.profile_date < upper(r)
        where s.run_date = p_run_date and s.is_giant
        group by 1, 2
    ) g
    where d.run_date = p_run_date and (d.segment, d.profile_date) = (g.segment, g.profile_date);

    call bua.weigh_registers(p_run_date);
end $$;
