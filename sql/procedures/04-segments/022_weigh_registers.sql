-- Purpose: the weights of a run's interval registers: how much a register uses when the average register of its segment uses
-- one. A plain average moves whenever a large register begins, ends or lacks days, though nobody uses more or less.
--   weight    = sum of the register's days / sum of the profile's daily totals, over its complete days
--   the day's total of the profile = sum of the complete registers' days / sum of their weights
-- Each follows from the other: the profile begins as the mean of the registers' mean days, and two iterations follow.
-- Weights are integers of millionths, and sums are exact, so they do not depend on any order. A register without use
-- has the weight 0, one without a complete day the weight 1. Giants have none.
-- Input: run_date. Tables written: bua.segment_day (weight, daily_total), bua.utility_profile_summary (weight).
-- Safe to rerun: begins with the registers' mean days.
create or replace procedure bua.weigh_registers(p_run_date date)
language plpgsql as $$
begin
    update bua.segment_day d
    set daily_total = m.daily_total
    from (
        select segment, avg(complete_total::numeric / complete_days) as daily_total
        from bua.utility_profile_summary
        where run_date = p_run_date and complete_days > 0 and not is_giant group by 1
    ) m
    where d.run_date = p_run_date and d.segment = m.segment;

    call bua.weigh_days(p_run_date);
    call bua.weigh_days(p_run_date);

    update bua.utility_profile_summary u
    set weight = w.weight
    from bua.register_weights(p_run_date) w
    where u.run_date = p_run_date and (u.meter_register_id, u.segment) = (w.meter_register_id, w.segment);

    call bua.weigh_days(p_run_date);
end $$;

-- The weights that follow from the profile's daily totals. A range of days is a difference of two running totals, so
-- that a register costs as much as it has holes. An array finds a day's running total without a search.
create or replace function bua.register_weights(p_run_date date)
returns table (segment text, meter_register_id bigint, complete datemultirange, weight bigint)
language sql stable as $$
    with running as materialized (
        select d.segment, min(d.profile_date) as first_day, array_agg(d.total order by d.profile_date) as totals
        from (
            select segment, profile_date, (sum(daily_total) over (partition by segment order by profile_date))::double precision as total
            from bua.segment_day where run_date = p_run_date
        ) d
        group by 1
    )
    select u.segment, u.meter_register_id, u.complete,
           case when u.complete_days = 0 then 1000000
                else coalesce(round(1e6 * u.complete_total / nullif(x.total, 0)), 0) end::bigint
    from bua.utility_profile_summary u
    join running t using (segment)
    cross join lateral (
        select sum(t.totals[upper(r.days) - t.first_day] - coalesce(t.totals[lower(r.days) - t.first_day], 0)) as total
        from (select unnest(u.complete) as days) r
    ) x
    where u.run_date = p_run_date and not u.is_giant
$$;

-- The sums of these weights over the complete registers of every day, and the daily totals that follow from them.
-- A range of days is a weight that comes and one that goes.
create or replace procedure bua.weigh_days(p_run_date date)
language sql as $$
    update bua.segment_day d
    set weight = w.weight,
        daily_total = coalesce(1000000 * d.complete_total::numeric / nullif(w.weight, 0), 0)
    from (
        select c.segment, c.profile_date, sum(sum(c.weight)) over (partition by c.segment order by c.profile_date) as weight
        from (
            select w.segment, c.profile_date, c.weight
            from bua.register_weights(p_run_date) w
            cross join unnest(w.complete) r
            cross join lateral (values (lower(r), w.weight), (upper(r), -w.weight)) c (profile_date, weight)
            union all
            select segment, profile_date, 0 from bua.segment_day where run_date = p_run_date
        ) c
        group by 1, 2
    ) w
    where d.run_date = p_run_date and (d.segment, d.profile_date) = (w.segment, w.profile_date)
$$;
