-- Purpose: how far the run's estimates may be off: low and high of units (kWh or MJ) and net dollars at 80 and 95 %, per segment,
-- per fuel and for the book. E is what was estimated, d = actual - predicted of the panel's n registers (bua.panel_error; of gas,
-- each meter's last span estimated from the one before), p = predicted.
--   behaviour      V_i = sum over cohorts of (sum of E^2) x (sum of d^2 / sum of p^2) x n / (n - 1): each account is itself
--   profile        V_p = n / (n - 1) x sum over registers of (D - mean)^2, D = sum over cohorts of E x d / sum of p: all share it
--   giants         V_g = sum of E^2 x the mean squared relative error of their own past spans
--   representativeness  rho_k = actual / predicted of the segment's basic meters in their k-th span back, k = 1 .. 4
--   half           t(n - 1) x sqrt(max(V_i + V_p, (sum of E)^2 x mean of (rho - 1)^2) + V_g)
-- A register that is missing from a cohort counts there as an average one; with every register in every cohort V_p is as written.
-- Segments are independent: their halves add up as squares. Dollars are units times the segment's estimated dollars per unit.
-- What has no band is in units_without_band and net_without_band, with the reason; low and high are of the rest.
-- Input: run_date, of which bua.panel_error is filled. Reads only. Sums are exact numerics, whatever their order.
create or replace function bua.estimate_bands(p_run_date date)
returns table (level text, fuel text, segment text, uom text, units_estimated numeric, units_without_band numeric, units_low_80 numeric,
               units_high_80 numeric, units_low_95 numeric, units_high_95 numeric, net_estimated numeric, net_without_band numeric,
               net_mid numeric, net_low_80 numeric, net_high_80 numeric, net_low_95 numeric, net_high_95 numeric, registers integer,
               rho numeric[], reason text)
language sql stable as $$
    with line as materialized (
        select a.fuel, a.uom,
               case a.fuel when 'GAS' then concat_ws('|', a.jurisdiction, a.node)
                           else concat_ws('|', a.jurisdiction, a.customer_class, m.stream_type) end as segment,
               sum(m.quantity) as units, sum(m.net_amount) as net
        from bua.invoice_line_item_monthly m join bua.account_summary a using (run_date, account_id)
        where m.run_date = p_run_date and m.line_state = 'ESTIMATED'
        group by 1, 2, 3
    ),
    estimate as materialized (
        select e.segment, e.estimator, e.method, sum(e.units) as units, sum(e.units * e.units) as squares
        from bua.band_estimates(p_run_date) e group by 1, 2, 3
    ),
    pair as materialized (
        select * from bua.span_pairs(p_run_date)
    ),
    error as materialized (
        select p.segment, p.cohort, p.units, p.squares, p.meter_register_id, p.predicted, p.actual - p.predicted as d,
               bua.parameter('band_min_registers') as least_n
        from bua.panel_error p where p.run_date = p_run_date
        union all
        select p.segment, 0, e.units, e.squares, p.meter_register_id, p.predicted, p.actual - p.predicted, bua.parameter('band_min_gas_meters')
        from pair p
        join (select e.segment, sum(e.units) as units, sum(e.squares) as squares from estimate e where e.estimator = 'SPANS' group by 1) e
            using (segment)
        where p.back = 1
    ),
    cohort as materialized (
        select segment, cohort, units, squares, count(*) as n, sum(predicted) as p, sum(predicted * predicted) as pp, sum(d * d) as dd,
               avg(d) as mean
        from error group by 1, 2, 3, 4, least_n
        having count(*) >= greatest(least_n, 2) and sum(predicted) > 0
    ),
    behaviour as (
        select segment, sum(units) as units, min(n) as n, sum(squares * dd / pp * n / (n - 1)) as v
        from cohort group by 1
    ),
    profile as (
        select segment, sum(d * d) as v
        from (
            select segment, e.meter_register_id, round(sum(c.units * (e.d - c.mean) / c.p * sqrt(c.n / (c.n - 1.0))), 12) as d
            from cohort c join error e using (segment, cohort)
            group by 1, 2
        ) r
        group by 1
    ),
    giant as (
        select segment, sum(units) as units, sum(units * units * squared_error) as v, min(spans) as n
        from bua.giant_errors(p_run_date) group by 1
    ),
    quarter as (
        select segment, back, round(sum(actual) / sum(predicted), 6) as rho
        from pair where back <= 4
        group by 1, 2 having count(*) >= (select bua.parameter('band_min_registers')) and sum(predicted) > 0
    ),
    representative as (
        select s.segment, array_agg(q.rho order by k) as rho, avg((q.rho - 1) ^ 2) as squared_error
        from (select distinct segment from quarter) s cross join generate_series(1, 4) k
        left join quarter q on (q.segment, q.back) = (s.segment, k)
        group by 1
    ),
    variance as (
        select segment, coalesce(b.units, 0) + coalesce(g.units, 0) as units, coalesce(b.n, g.n)::integer as n, b.n::integer as panel,
               greatest(coalesce(b.v + p.v, 0), coalesce(b.units ^ 2 * r.squared_error, 0)) + coalesce(g.v, 0) as v
        from behaviour b
        left join profile p using (segment)
        full join giant g using (segment)
        left join representative r using (segment)
    ),
    missing as (   -- what has no band, and why
        select l.segment, l.uom, l.units, c.*
        from line l
        cross join lateral (
            select coalesce(sum(e.units) filter (where e.method = 'SEGMENT_AVERAGE'), 0) as average,
                   coalesce(sum(e.units) filter (where e.method = 'OWN_DAILY_MEAN'), 0) as unprofiled,
                   coalesce(sum(e.units) filter (where e.estimator = 'GIANT'), 0) as giant,
                   coalesce(sum(e.units) filter (where e.estimator in ('RECENT', 'WINDOW', 'SPANS')), 0) as panel,
                   coalesce(sum(e.units), 0) as own
            from estimate e where e.segment = l.segment
        ) c
    ),
    reason as (
        select m.segment, string_agg(c.cause || ': ' || round(c.units, 3) || ' ' || m.uom, '; ' order by c.place) as reason
        from missing m
        left join behaviour b using (segment)
        left join giant g using (segment)
        cross join lateral (values
            (1, case m.uom when 'MJ' then 'Fewer than ' || bua.parameter('band_min_gas_meters') || ' gas meters of the zone have two spans between reads'
                else 'Fewer than ' || bua.parameter('band_min_registers') || ' interval registers of the segment were read on days like the missing ones' end,
             m.panel - coalesce(b.units, 0)),
            (2, 'A giant without two earlier spans of its own', m.giant - coalesce(g.units, 0)),
            (3, 'Nothing is known of the account itself (SEGMENT_AVERAGE)', m.average),
            (4, 'No profile covers the segment (OWN_DAILY_MEAN)', m.unprofiled),
            (5, 'Delivered as an estimate by the meter data provider', m.units - m.own)
        ) c (place, cause, units)
        where c.units >= 0.001
        group by 1
    ),
    banded as (
        select l.*, v.n, v.panel, r.rho, w.reason, v.segment is not null and s.share > 0 as has_band, s.share, round(l.net * s.share, 2) as mid,
               bua.t_quantile(v.n - 1, 80) * sqrt(v.v) as half_80, bua.t_quantile(v.n - 1, 95) * sqrt(v.v) as half_95,
               abs(l.net / nullif(l.units, 0)) as price
        from line l
        left join variance v using (segment)
        left join representative r using (segment)
        left join reason w using (segment)
        -- Without units there is nothing to be wrong about.
        cross join lateral (select case when l.units = 0 then 1 else least(greatest(coalesce(v.units, 0) / l.units, 0), 1) end as share) s
    ),
    level as (
        select 'SEGMENT' as level, b.fuel, b.segment, b.uom, b.units, b.units * b.share as banded_units, b.half_80, b.half_95, b.net, b.mid,
               b.half_80 * b.price as net_80, b.half_95 * b.price as net_95, b.has_band, b.panel, b.rho, b.reason
        from banded b
        union all   -- what goes to the grid is no usage
        select 'FUEL', b.fuel, '', b.uom, coalesce(sum(b.units) filter (where c.is_usage), 0), coalesce(sum(b.units * b.share) filter (where c.is_usage), 0),
               sqrt(sum(b.half_80 ^ 2) filter (where c.is_usage)), sqrt(sum(b.half_95 ^ 2) filter (where c.is_usage)), sum(b.net), sum(b.mid),
               sqrt(sum((b.half_80 * b.price) ^ 2)), sqrt(sum((b.half_95 * b.price) ^ 2)), bool_or(b.has_band), null, null, null
        from banded b cross join lateral (select b.segment not like '%|SOLAR' or b.fuel = 'GAS' as is_usage) c
        group by b.fuel, b.uom
        union all
        select 'BOOK', '', '', null, null, null, null, null, coalesce(sum(b.net), 0), coalesce(sum(b.mid), 0),
               sqrt(sum((b.half_80 * b.price) ^ 2)), sqrt(sum((b.half_95 * b.price) ^ 2)), coalesce(bool_or(b.has_band), false), null, null, null
        from banded b
    )
    select l.level, l.fuel, l.segment, l.uom, round(l.units, 3), round(l.units - l.banded_units, 3),
           round(l.banded_units - u.half_80, 3), round(l.banded_units + u.half_80, 3),
           round(l.banded_units - u.half_95, 3), round(l.banded_units + u.half_95, 3),
           l.net, l.net - l.mid, case when l.has_band then l.mid end,
           round(l.mid - u.net_80, 2), round(l.mid + u.net_80, 2), round(l.mid - u.net_95, 2), round(l.mid + u.net_95, 2),
           l.panel, l.rho, l.reason
    from level l
    cross join lateral (
        select case when l.has_band then coalesce(l.half_80, 0) end as half_80, case when l.has_band then coalesce(l.half_95, 0) end as half_95,
               case when l.has_band then coalesce(l.net_80, 0) end as net_80, case when l.has_band then coalesce(l.net_95, 0) end as net_95
    ) u
$$;

-- Giants: what was estimated, in kWh, and the mean squared relative error of up to eight earlier spans of their own, each
-- estimated from the ones before: between index reads from the span before, and of interval registers as many days as are missing
-- from the mean of the reference days before them. No row without two such spans.
create or replace function bua.giant_errors(p_run_date date)
returns table (segment text, units numeric, spans bigint, squared_error numeric)
language sql stable as $$
    with giant as materialized (
        select * from bua.band_estimates(p_run_date) where estimator = 'GIANT'
    ),
    past as (
        select g.account_id, g.meter_register_id, g.gap, s.quantity / s.days as actual, s.before as predicted
        from giant g
        cross join lateral (
            select x.quantity, (x.to_date - x.from_date)::numeric as days,
                   lag(x.quantity / (x.to_date - x.from_date)) over (order by x.to_date) as before,
                   row_number() over (order by x.to_date desc) as back
            from bua.read_spans(p_run_date, array[g.meter_register_id], array[g.occupied]) x where x.read_state = 'ACTUAL'
        ) s
        where g.read_type = 'BASIC' and s.back <= 8
        union all
        select g.account_id, g.meter_register_id, g.gap, u.actual, u.predicted
        from giant g
        cross join generate_series(1, 8) back
        cross join lateral (
            select avg(u.day_total / 1e6) filter (where u.profile_date >= b.from_date) as actual,
                   avg(u.day_total / 1e6) filter (where u.profile_date < b.from_date) as predicted
            from (select g.gap_from - back * (g.gap_to - g.gap_from) as from_date) b
            join bua.utility_profile u
                on u.run_date = p_run_date and u.meter_register_id = any (g.register_ids) and u.excluded_mask = 0
                and g.occupied @> u.profile_date and u.profile_date < b.from_date + (g.gap_to - g.gap_from)
                and u.profile_date >= b.from_date - (select bua.parameter('scalar_reference_days'))::integer
            having count(*) filter (where u.profile_date < b.from_date) >= (select bua.parameter('scalar_min_days'))
        ) u
        where g.read_type = 'INTERVAL'
    )
    select g.segment, g.units, p.spans, p.squared_error
    from giant g
    join (
        select account_id, meter_register_id, gap, count(*) as spans, avg((actual / predicted - 1) ^ 2) as squared_error
        from past where actual is not null and predicted > 0
        group by 1, 2, 3 having count(*) >= 2
    ) p using (account_id, meter_register_id, gap)
$$;

-- Student's t for a two-sided interval of 80 or 95 %: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2. Between two rows
-- the smaller number of degrees of freedom counts, which is the wider band.
create or replace function bua.t_quantile(p_degrees integer, p_percent integer) returns numeric
language sql immutable as $$
    select case p_percent when 80 then t.of_80 when 95 then t.of_95 end
    from (values
        (1, 3.078, 12.706), (2, 1.886, 4.303), (3, 1.638, 3.182), (4, 1.533, 2.776), (5, 1.476, 2.571), (6, 1.440, 2.447),
        (7, 1.415, 2.365), (8, 1.397, 2.306), (9, 1.383, 2.262), (10, 1.372, 2.228), (11, 1.363, 2.201), (12, 1.356, 2.179),
        (13, 1.350, 2.160), (14, 1.345, 2.145), (15, 1.341, 2.131), (16, 1.337, 2.120), (17, 1.333, 2.110), (18, 1.330, 2.101),
        (19, 1.328, 2.093), (20, 1.325, 2.086), (21, 1.323, 2.080), (22, 1.321, 2.074), (23, 1.319, 2.069), (24, 1.318, 2.064),
        (25, 1.316, 2.060), (26, 1.315, 2.056), (27, 1.314, 2.052), (28, 1.313, 2.048), (29, 1.311, 2.045), (30, 1.310, 2.042),
        (40, 1.303, 2.021), (60, 1.296, 2.000), (100, 1.290, 1.984)
    ) t (degrees, of_80, of_95)
    where t.degrees <= p_degrees order by t.degrees desc limit 1
$$;
