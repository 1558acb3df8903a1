-- Purpose: between which limits what was estimated of an account lies, with 80 and 95 % probability, in kWh or MJ: the estimate times
-- quantiles of actual / predicted of the panel's registers (bua.panel_error), in the segment, for gaps of like length (bua.gap_class).
-- Of n registers the limits leave out (n + 1) x 10 % on either side, or 2.5 %, so that one more register lies between them as often
-- as is said; from n < 9, or n < 39, that cannot be said. Gas: the spans between reads of the zone's meters in the last year, each
-- estimated from the one before; a factor of it is taken to be as likely above as below (bua.span_pairs).
-- An account's gaps and registers are wrong alike: their limits add up. Input: run_date, of which bua.panel_error is filled. Reads
-- only. An account of which anything has no band has none: no_band says why.
create or replace function bua.account_bands(p_run_date date)
returns table (account_id text, units_low_80 numeric, units_high_80 numeric, units_low_95 numeric, units_high_95 numeric, no_band text)
language sql stable set enable_nestloop = off as $$
    with ratio as materialized (
        select segment, estimator, bua.gap_class(gap_days) as gap_class, meter_register_id, (actual / predicted)::double precision as ratio,
               bua.parameter('band_min_registers') as least_n
        from bua.panel_error where run_date = p_run_date and predicted > 0
        union all
        select p.segment, 'SPANS', 0, p.meter_register_id, r.ratio, bua.parameter('band_min_gas_meters')
        from bua.span_pairs(p_run_date) p
        join core.meter_register m on m.meter_register_id = p.meter_register_id
        join core.site s on s.site_id = m.site_id and s.fuel = 'GAS'
        cross join lateral (values (p.actual / p.predicted), (p.predicted / p.actual)) r (ratio)
        where p.back <= 4 and p.predicted > 0 and p.actual > 0
    ),
    counted as materialized (
        select segment, estimator, gap_class, count(distinct meter_register_id) as n
        from ratio group by segment, estimator, gap_class, least_n having count(distinct meter_register_id) >= greatest(least_n, 9)
    ),
    quantile as materialized (
        select segment, estimator, gap_class,
               percentile_disc(0.9 * (n + 1) / n - 1e-9) within group (order by ratio desc) as low_80,
               percentile_disc(0.9 * (n + 1) / n - 1e-9) within group (order by ratio) as high_80,
               case when n >= 39 then percentile_disc(least(0.975 * (n + 1) / n, 1) - 1e-9) within group (order by ratio desc) end as low_95,
               case when n >= 39 then percentile_disc(least(0.975 * (n + 1) / n, 1) - 1e-9) within group (order by ratio) end as high_95
        from ratio join counted using (segment, estimator, gap_class)
        group by segment, estimator, gap_class, n
    ),
    estimate as (
        select e.account_id, e.units, e.estimator, e.method, e.fuel, q.low_80::numeric, q.high_80::numeric, q.low_95::numeric, q.high_95::numeric
        from bua.band_estimates(p_run_date) e
        left join quantile q on (q.segment, q.estimator) = (e.segment, e.estimator)
            and q.gap_class = case e.estimator when 'SPANS' then 0 else bua.gap_class(e.gap_to - e.gap_from) end
        where e.units > 0 and (e.segment not like '%|SOLAR' or e.fuel = 'GAS')
    ),
    account as materialized (
        select account_id, sum(units) as units, bool_and(low_80 is not null) as has_80, bool_and(low_95 is not null) as has_95,
               sum(units * low_80) as low_80, sum(units * high_80) as high_80, sum(units * low_95) as low_95, sum(units * high_95) as high_95,
               min(case when low_80 is not null then null
                        when method = 'SEGMENT_AVERAGE' then '1 Nothing is known of the account itself (SEGMENT_AVERAGE)'
                        when method = 'OWN_DAILY_MEAN' then '2 No profile covers the segment (OWN_DAILY_MEAN)'
                        when estimator = 'GIANT' then '3 A giant is like no other register'
                        when fuel = 'GAS' then '4 Fewer than ' || bua.parameter('band_min_gas_meters') || ' gas meters of the zone have two spans between reads'
                        else '5 Fewer than ' || bua.parameter('band_min_registers') || ' interval registers of the segment were read on days like the missing ones'
                   end) as no_band
        from estimate group by 1
    )
    select s.account_id, l.low_80, l.high_80, l.low_95, l.high_95,
           case when l.low_80 is null then coalesce(substr(a.no_band, 3), 'Delivered as an estimate by the meter data provider') end
    from bua.account_summary s
    left join account a using (account_id)
    cross join lateral (   -- what is beyond our own estimates by more than rounding was delivered
        select s.units_estimated / nullif(a.units, 0) as share, a.units >= 0.98 * s.units_estimated as is_own
    ) o
    cross join lateral (
        select case when a.has_80 and o.is_own then round(a.low_80 * o.share, 3) end as low_80,
               case when a.has_80 and o.is_own then round(a.high_80 * o.share, 3) end as high_80,
               case when a.has_95 and o.is_own then round(a.low_95 * o.share, 3) end as low_95,
               case when a.has_95 and o.is_own then round(a.high_95 * o.share, 3) end as high_95
    ) l
    where s.run_date = p_run_date and s.units_estimated > 0
$$;

-- Gaps of like length: up to 3, 10, 31, 62 days, and longer ones.
create or replace function bua.gap_class(p_days integer) returns integer
language sql immutable as $$
    select width_bucket(p_days, array[4, 11, 32, 63])
$$;
