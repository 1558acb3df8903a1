-- Purpose: what the run estimated itself, in kWh or MJ: a row per micro scalar, with the days that it was estimated for, the days
-- that the scalar was worked out on, and how its error can be found (bua.estimate_bands):
--   RECENT    the recent days of an interval meter, the nearest weighing most
--   WINDOW    the usage of reference_from .. reference_to over the profile of the same days
--   SPANS     gas: from one span between reads to the next
--   GIANT     the register's own mean
--   null      nothing of the register itself, or no profile, is behind it: its error cannot be found
-- A stream's rows add up to at most the estimated units on its account's lines. What the lines have beyond them was delivered
-- as an estimate. to-dates are exclusive. Input: run_date. Reads only.
create or replace function bua.band_estimates(p_run_date date)
returns table (account_id text, meter_register_id bigint, gap smallint, register_ids bigint[], occupied datemultirange, fuel text,
               segment text, read_type text, method text, estimator text, reference_from date, reference_to date, gap_from date,
               gap_to date, units numeric)
language sql stable rows 100000 set enable_nestloop = off as $$
    with running as materialized (   -- of the days before each day
        select profile_key, profile_date + 1 as day, sum(daily_total) over w as total, sum(degree_days) over w as degrees
        from bua.macro_profile where run_date = p_run_date
        window w as (partition by profile_key order by profile_date)
    ),
    line as materialized (
        select m.account_id, m.stream_type, sum(m.quantity) as units
        from bua.invoice_line_item_monthly m
        where m.run_date = p_run_date and m.line_state = 'ESTIMATED' and m.stream_type is not null
        group by 1, 2 having sum(m.quantity) > 0
    ),
    estimate as (
        select s.*, a.fuel, l.units as line_units,
               case when s.method in ('SEGMENT_AVERAGE', 'OWN_DAILY_MEAN') then null
                    when s.is_giant then 'GIANT'
                    when a.fuel = 'GAS' then 'SPANS'
                    when s.method = 'RECENT_DAYS' then 'RECENT'
                    else 'WINDOW' end as estimator,
               case when s.read_type = 'INTERVAL' then s.first_missing
                    when s.method in ('READS', 'READS_SEASON', 'BASE_AND_SEASON', 'DEGREE_DAYS', 'OLDER_READS', 'GIANT_DAILY_MEAN')
                        then greatest(a.unbilled_from, s.reference_to + 1)
                    else a.unbilled_from end as gap_from,
               case when s.read_type = 'INTERVAL' then s.last_missing else a.unbilled_to end + 1 as gap_to
        from bua.micro_scalar s
        join bua.account_summary a on (a.run_date, a.account_id) = (s.run_date, s.account_id)
        join line l on (l.account_id, l.stream_type) = (s.account_id, s.stream_type)
        where s.run_date = p_run_date and s.method <> 'OWN_COPY'
    ),
    formula as (
        select e.*, (e.gap_to - e.gap_from) * case when e.scalar is null then e.daily_mean else e.daily_base end
                    + coalesce(e.scalar * (t.total - coalesce(f.total, 0)), 0)
                    + coalesce(e.degree_slope * (t.degrees - coalesce(f.degrees, 0)), 0) as formula
        from estimate e
        left join running f on (f.profile_key, f.day) = (e.profile_key, e.gap_from)
        left join running t on (t.profile_key, t.day) = (e.profile_key, e.gap_to)
        where e.gap_from < e.gap_to
    ),
    summed as (
        select f.*, sum(f.formula) over (partition by f.account_id, f.stream_type) as formulas from formula f
    )
    -- Half-hours of a day that was read in part, and rounding: the lines are right. Only what they have far beyond the formula is
    -- somebody else's estimate.
    select account_id, meter_register_id, gap, register_ids, occupied, fuel, profile_key, read_type, method, estimator,
           reference_from, reference_to + 1, gap_from, gap_to,
           case when formulas >= 0.98 * line_units then formula * line_units / formulas else formula end
    from summed where formulas > 0
$$;
