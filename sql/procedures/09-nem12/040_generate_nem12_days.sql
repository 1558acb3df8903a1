-- Purpose: the market days of a generated meter data file: known half-hours as they were read, missing ones as segment
-- profile x scalar. One row per suffix and market day: 48 half-hours in kWh to three decimals, and their 48 qualities.
-- Quality E is our own estimate. An estimate that was delivered becomes S, because it counts as read and the import takes
-- every E for ours. Estimates are rounded cumulatively over a stream's missing days, so that rounding errors never add up.
-- Where two accounts meet on a market day, each has the half-hours of its own bill days; a half-hour of no unbilled day
-- goes to the first of them.
-- Inputs: run_date, sites. Reads only.
create or replace function bua.generate_nem12_days(p_run_date date, p_site_ids text[])
returns table (site_id text, suffix text, meter_serial text, register_id text, profile_date date, half_hours numeric[],
               qualities text)
language sql stable as $$
    with missing as materialized (
        select m.*, s.scalar, s.daily_mean, s.method, bua.day_type(m.jurisdiction, m.profile_date) as day_type,
               s.macro_units / s.reference_days as mean_macro
        from bua.missing_days(p_run_date, bua.accounts_of_sites(p_run_date, p_site_ids)) m
        join bua.micro_scalar s
            on (s.run_date, s.account_id, s.meter_register_id) = (p_run_date, m.account_id, m.meter_register_id)
        where m.site_id = any (p_site_ids) and s.method is not null
    ),
    estimate as (
        select m.account_id, m.site_id, m.suffix, m.meter_register_id, m.profile_date, n.h,
               (m.missing_mask >> (n.h - 1)) & 1 = 1 as is_own,
               case when m.method in ('GIANT_DAILY_MEAN', 'OWN_DAILY_MEAN') then coalesce(g.value, m.daily_mean / 48)
                    else coalesce(m.scalar * p.profile[n.h]::numeric, m.scalar * m.mean_macro / 48, m.daily_mean / 48) end as value
        from missing m
        cross join generate_series(1, 48) as n (h)
        left join bua.segment_profile p
            on (p.run_date, p.segment, p.profile_date) = (p_run_date, m.profile_key, m.profile_date)
        left join bua.giant_half_hours(p_run_date, bua.accounts_of_sites(p_run_date, p_site_ids)) g
            on (g.account_id, g.meter_register_id, g.day_type, g.h) = (m.account_id, m.meter_register_id, m.day_type, n.h)
    ),
    rounded as (
        select e.*, round(sum(e.value) over w, 3) - round(sum(e.value) over w - e.value, 3) as kwh
        from estimate e where e.value is not null
        window w as (partition by e.account_id, e.meter_register_id order by e.profile_date, e.h)
    ),
    half_hour as (
        select distinct on (r.site_id, r.suffix, r.profile_date, r.h)
               r.site_id, r.suffix, r.meter_register_id, r.profile_date, r.h,
               case when k.quality <> 'N' then k.value else r.kwh end as value,
               case when k.quality = 'E' then 'S' when k.quality <> 'N' then k.quality else 'E' end as quality
        from rounded r
        left join lateral (
            select substr(u.qualities, r.h, 1) as quality, round(u.half_hours[r.h] / 10::numeric ^ u.scale, 3) as value
            from core.meter_register x
            join bua.utility_profile u on u.run_date = p_run_date and u.meter_register_id = x.meter_register_id
                and u.profile_date = r.profile_date
            where x.site_id = r.site_id and x.suffix = r.suffix
            order by substr(u.qualities, r.h, 1) = 'N' limit 1
        ) k on true
        order by r.site_id, r.suffix, r.profile_date, r.h, r.is_own desc, r.account_id
    )
    select d.site_id, d.suffix, m.meter_serial, m.register_id, d.profile_date,
           array_agg(d.value order by d.h), string_agg(d.quality, '' order by d.h)
    from half_hour d
    join lateral (   -- the meter of the day, or else the stream's latest
        select x.meter_serial, x.register_id from core.meter_register x
        where x.site_id = d.site_id and x.suffix = d.suffix and x.read_type = 'INTERVAL'
        order by d.profile_date between x.start_date and coalesce(x.end_date, 'infinity') desc, x.start_date desc limit 1
    ) m on true
    group by d.site_id, d.suffix, m.meter_serial, m.register_id, d.profile_date
    having count(*) = 48
    order by d.site_id, d.suffix, d.profile_date
$$;
