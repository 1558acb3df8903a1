-- Purpose: READS_SEASON, BASE_AND_SEASON and DEGREE_DAYS of basic registers, in place of READS. The scalar of READS, s1, describes the
-- season that was read, not the one that is missing. Last year's reads know how much the customer's own usage changes from
-- the one to the other beside the profile: own = s4 / s5, where s4 is the scalar of last year's days now missing, 273 to 365
-- days before the last read, and s5 that of the days before them, as long as the reference of s1. own is kept within
-- season_limit.
--   READS_SEASON     s1 x own ^ power; power is season_power_bus or _res. A business without s5 has the geometric mean of s1
--                    and s4
--   BASE_AND_SEASON  gas with gas_fit_min_spans of its latest gas_fit_spans spans: usage = base x days + slope x the zone's volume,
--                    fitted by weighted least squares with neither below zero, and moved to the latest span by at most
--                    gas_fit_limit. gas_fit_share of it, and for the rest the own season with season_power_gas
--   DEGREE_DAYS      the same with the zone's degree-days in place of its volume, and degree_fit_share of it, where the degree-days
--                    of those spans and of every day since are known
-- A span without any use says nothing about other seasons: where s1 is zero, s4 is taken, or the mean of the last year's
-- spans. After vacant_days without any use the register is vacant, and the scalar stays zero.
-- Reads within season_reach_days of the days looked for are taken. A span that the profile does not cover is left out.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, basic registers with READS. Safe to rerun: changes no other row.
create or replace procedure bua.scalars_of_own_season(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    with parameter as materialized (
        select bua.parameter('season_reach_days')::integer as reach, bua.parameter('season_limit') as season_limit,
               bua.parameter('gas_fit_spans') as fit_spans, bua.parameter('gas_fit_min_spans') as fit_min_spans,
               bua.parameter('gas_fit_decay') as decay, bua.parameter('gas_fit_limit') as fit_limit,
               bua.parameter('gas_fit_share') as volume_share, bua.parameter('degree_fit_share') as degree_share,
               bua.parameter('vacant_days') as vacant_days
    ),
    target as materialized (
        select s.account_id, s.meter_register_id, s.profile_key, s.occupied, s.scalar, row_number() over () as stream,
               s.reference_to + 1 as last_read, s.reference_to + 1 - s.reference_from as length, a.fuel, a.customer_class,
               case when a.fuel = 'GAS' then (select bua.parameter('season_power_gas'))
                    when a.customer_class = 'BUS' then (select bua.parameter('season_power_bus'))
                    else (select bua.parameter('season_power_res')) end as power,
               a.fuel = 'GAS' and bua.degree_sum(p_run_date, s.profile_key, s.reference_to + 1, r.period_end) is not null
                   as has_degrees
        from bua.micro_scalar s join core.account a using (account_id) join bua.run r using (run_date)
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.read_type = 'BASIC' and s.method = 'READS'
    ),
    span as materialized (
        select t.account_id, t.meter_register_id, x.from_date, x.to_date, x.to_date - x.from_date as days, x.quantity, x.macro,
               case when t.has_degrees then bua.degree_sum(p_run_date, t.profile_key, x.from_date, x.to_date) end as degrees,
               row_number() over (partition by t.account_id, t.meter_register_id order by x.to_date desc) as back
        from (select array_agg(meter_register_id order by stream) as ids, array_agg(occupied order by stream) as occupied,
                     array_agg(profile_key order by stream) as keys from target) l
        cross join lateral bua.actual_spans(p_run_date, l.ids, l.occupied, l.keys) x
        join target t using (stream)
    ),
    point as materialized (     -- what the fit of a gas register is of: the weight is decay ^ k, divided by the span's mean volume
        select x.*, p.decay ^ x.back * x.days / x.macro as weight, bool_and(x.degrees is not null) over w as by_degrees,
               case when bool_and(x.degrees is not null) over w then x.degrees else x.macro end as driver
        from span x
        join target t using (account_id, meter_register_id)
        cross join parameter p
        where t.fuel = 'GAS' and x.back <= p.fit_spans and x.macro > 0
        window w as (partition by x.account_id, x.meter_register_id)
    ),
    fit as materialized (
        select account_id, meter_register_id, bool_and(by_degrees) as by_degrees, count(*) as fitted_spans,
               sum(weight * days * days) as dd, sum(weight * days * driver) as dv, sum(weight * driver * driver) as vv,
               sum(weight * days * quantity) as du, sum(weight * driver * quantity) as vu,
               max(driver) filter (where back = 1) as v1
        from point group by 1, 2
    ),
    read as materialized (
        select account_id, meter_register_id, from_date as read_date from span
        union
        select account_id, meter_register_id, to_date from span
    ),
    season_end as (     -- the reads nearest to 273 and to 365 days before the last, and to a reference before that
        select distinct on (account_id, meter_register_id) t.*, r.read_date as season_to
        from target t join read r using (account_id, meter_register_id) cross join parameter p
        where abs(t.last_read - 273 - r.read_date) <= p.reach
        order by account_id, meter_register_id, abs(t.last_read - 273 - r.read_date), r.read_date
    ),
    season_start as (
        select distinct on (account_id, meter_register_id) e.*, r.read_date as season_from
        from season_end e join read r using (account_id, meter_register_id) cross join parameter p
        where abs(e.last_read - 365 - r.read_date) <= p.reach and r.read_date < e.season_to
        order by account_id, meter_register_id, abs(e.last_read - 365 - r.read_date), r.read_date
    ),
    season_before as (
        select distinct on (account_id, meter_register_id) s.account_id, s.meter_register_id, r.read_date as before_from
        from season_start s join read r using (account_id, meter_register_id) cross join parameter p
        where abs(s.season_from - s.length - r.read_date) <= p.reach and r.read_date < s.season_from
        order by account_id, meter_register_id, abs(s.season_from - s.length - r.read_date), r.read_date
    ),
    dated as materialized (     -- before the spans are joined: for each register once
        select t.*, s.season_from, s.season_to, b.before_from
        from target t
        left join season_start s using (account_id, meter_register_id)
        left join season_before b using (account_id, meter_register_id)
    ),
    summed as (
        select t.account_id, t.meter_register_id, t.scalar as s1, t.fuel, t.customer_class, t.power, t.last_read, t.season_from,
               t.season_to,
               sum(x.quantity) filter (where x.macro > 0 and x.from_date >= t.season_from and x.to_date <= t.season_to)
                   / sum(x.macro) filter (where x.macro > 0 and x.from_date >= t.season_from and x.to_date <= t.season_to) as s4,
               sum(x.quantity) filter (where x.macro > 0 and x.from_date >= t.before_from and x.to_date <= t.season_from)
                   / sum(x.macro) filter (where x.macro > 0 and x.from_date >= t.before_from and x.to_date <= t.season_from) as s5,
               -- four quarters of 91 days are a year: not a fifth that ends 364 days ago
               sum(x.quantity) filter (where x.macro > 0 and x.to_date > coalesce(t.season_from, t.last_read - 365))
                   / sum(x.macro) filter (where x.macro > 0 and x.to_date > coalesce(t.season_from, t.last_read - 365)) as year_scalar,
               t.last_read - coalesce(max(x.to_date) filter (where x.quantity > 0), min(x.from_date)) as days_without_use,
               max(x.quantity) filter (where x.back = 1) as u1, max(x.days) filter (where x.back = 1) as d1
        from dated t
        join span x using (account_id, meter_register_id)
        group by t.account_id, t.meter_register_id, t.scalar, t.fuel, t.customer_class, t.power, t.last_read, t.season_from, t.season_to
    ),
    season as (
        select z.*, case when s4 > 0 and s5 > 0 then least(greatest(s4 / s5, 1 / p.season_limit), p.season_limit) end as own,
               case when f.by_degrees then p.degree_share else p.volume_share end as fit_share, p.fit_limit,
               days_without_use >= p.vacant_days as is_vacant, f.fitted_spans >= p.fit_min_spans as is_fitted,
               f.by_degrees, f.dd, f.dv, f.vv, f.du, f.vu, f.v1
        from summed z cross join parameter p left join fit f using (account_id, meter_register_id)
    ),
    blended as (
        select s.*, case when s1 = 0 then coalesce(nullif(s4, 0), year_scalar, 0)
                         when own is not null then s1 * own ^ power
                         when s5 is null and s4 > 0 and fuel = 'ELECTRICITY' and customer_class = 'BUS' then sqrt(s1 * s4)
                         else s1 end as seasonal,
               c.base, c.slope,
               case when u1 > 0 and c.base * d1 + c.slope * v1 > 0
                    then least(greatest(u1 / (c.base * d1 + c.slope * v1), 1 / fit_limit), fit_limit) else 1 end as move
        from season s
        left join lateral (   -- non-negative: either both are, or the better of the two with the other at zero
            select base, slope from (values
                ((du * vv - vu * dv) / nullif(dd * vv - dv * dv, 0), (vu * dd - du * dv) / nullif(dd * vv - dv * dv, 0), 1),
                (du / nullif(dd, 0), 0, 2),
                (0, vu / nullif(vv, 0), 2)
            ) c (base, slope, rank)
            where is_fitted and base >= 0 and slope >= 0
            order by rank, base * base * dd + 2 * base * slope * dv + slope * slope * vv - 2 * base * du - 2 * slope * vu, base
            limit 1
        ) c on true
    )
    update bua.micro_scalar s
    set method = case when b.is_vacant then 'READS'
                      when b.base is not null then case when b.by_degrees then 'DEGREE_DAYS' else 'BASE_AND_SEASON' end
                      when b.s1 = 0 and coalesce(b.s4, 0) = 0 and b.seasonal > 0 then 'OLDER_READS'
                      when b.seasonal <> b.s1 or b.own is not null and b.power > 0 then 'READS_SEASON'
                      else 'READS' end,
        daily_base = case when b.is_vacant or b.base is null then 0 else round(b.fit_share * b.move * b.base, 15) end,
        degree_slope = case when b.is_vacant or b.base is null or not b.by_degrees then 0 else round(b.fit_share * b.move * b.slope, 15) end,
        scalar = case when b.is_vacant then 0
                      when b.base is not null and b.by_degrees then (1 - b.fit_share) * b.seasonal
                      when b.base is not null then b.fit_share * b.move * b.slope + (1 - b.fit_share) * b.seasonal
                      else b.seasonal end,
        season_ratio = b.own, season_from = b.season_from, season_to = b.season_to - 1, is_vacant = b.is_vacant
    from blended b
    where s.run_date = p_run_date and s.account_id = any (p_account_ids)
      and (s.account_id, s.meter_register_id) = (b.account_id, b.meter_register_id);
end $$;
