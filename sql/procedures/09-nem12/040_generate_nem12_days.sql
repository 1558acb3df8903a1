-- Purpose: the market days of a generated meter data file: known half-hours as they were read, missing ones as
-- scalar x the macro profile's day, divided by the stream's own shape, or the segment's where that is not known. One row per
-- suffix and market day: 48 half-hours in kWh to three decimals, and their 48 qualities.
-- A file has the market days on which a half-hour is missing, and all market days of the local days that the snapshot lacks
-- (whole): these are billed from the file alone. Quality E is our own estimate. An estimate that was delivered stays E on
-- such a day. Elsewhere it becomes S, because it counts as read and is billed from the snapshot.
-- Estimates, and what was read, are rounded cumulatively over a stream's days, so that rounding errors never add up.
-- Where two accounts meet on a market day, each has the half-hours of its own bill days; a half-hour of no unbilled day
-- goes to the first of them. One that nothing can be estimated for, and that bills nothing, is the mean of the day's others.
-- Inputs: run_date, sites. Reads only.
create or replace function bua.generate_nem12_days(p_run_date date, p_site_ids text[])
returns table (site_id text, suffix text, meter_serial text, register_id text, profile_date date, half_hours numeric[],
               qualities text)
language sql stable as $$
    with account as materialized (
        select bua.accounts_of_sites(p_run_date, p_site_ids) as ids
    ),
    gap as materialized (
        select s.*, m.suffix, t.jurisdiction
        from account a
        join bua.micro_scalar s on s.run_date = p_run_date and s.account_id = any (a.ids)
        join core.site t using (site_id)
        join core.meter_register m using (meter_register_id)
        where s.site_id = any (p_site_ids) and s.read_type = 'INTERVAL'
    ),
    unread as materialized (
        select s.account_id, s.site_id, s.jurisdiction, s.suffix, s.meter_register_id, s.profile_key, d.profile_date,
               bit_or(d.half_hour_mask) & coalesce((
                   select bit_and(u.missing_mask) from bua.utility_profile u
                   where u.run_date = p_run_date and u.meter_register_id = any (s.register_ids) and u.profile_date = d.profile_date
               ), -1) as missing_mask,
               coalesce(bit_or(d.half_hour_mask) filter (where s.whole @> d.local_date), 0) as whole_mask
        from gap s
        join bua.market_day d
            on d.jurisdiction = s.jurisdiction and d.local_date >= lower(s.unread) and d.local_date < upper(s.unread)
            and s.unread @> d.local_date
        where s.gap = 1
        group by s.account_id, s.site_id, s.jurisdiction, s.suffix, s.meter_register_id, s.register_ids, s.profile_key, d.profile_date
    ),
    day as materialized (   -- everything is looked up once a day, not once a half-hour
        select m.*, s.method, s.scalar, s.daily_mean, s.mean_macro, p.profile, d.daily_total, o.shares,
               g.half_hours as mean_half_hours, c.copies
        from unread m
        cross join lateral (    -- the gap that the day lies in; a day without a missing half-hour belongs to the one before
            select s.*, s.macro_units / s.reference_days as mean_macro
            from bua.micro_scalar s
            where (s.run_date, s.account_id, s.meter_register_id) = (p_run_date, m.account_id, m.meter_register_id)
            order by s.first_missing <= m.profile_date desc,
                     abs(s.first_missing - m.profile_date) limit 1
        ) s
        cross join lateral bua.day_type(m.jurisdiction, m.profile_date) t
        cross join lateral (    -- the day's rows of the stream's registers
            select array_agg(u order by x.meter_register_id) as copies
            from core.meter_register x
            join bua.utility_profile u on u.run_date = p_run_date and u.meter_register_id = x.meter_register_id
                and u.profile_date = m.profile_date
            where x.site_id = m.site_id and x.suffix = m.suffix
        ) c
        left join bua.segment_profile p
            on (p.run_date, p.segment, p.profile_date) = (p_run_date, m.profile_key, m.profile_date)
        left join bua.macro_profile d
            on (d.run_date, d.profile_key, d.profile_date) = (p_run_date, m.profile_key, m.profile_date)
        left join bua.own_shapes(p_run_date, (select ids from account)) o
            on (o.account_id, o.meter_register_id, o.gap, o.day_type)
             = (m.account_id, m.meter_register_id, s.gap, t.day_type)
        left join bua.giant_half_hours(p_run_date, (select ids from account)) g
            on (g.account_id, g.meter_register_id, g.gap, g.day_type)
             = (m.account_id, m.meter_register_id, s.gap, t.day_type)
        where m.missing_mask <> 0 or m.whole_mask <> 0
    ),
    known as materialized (     -- before they are sorted: no row carries its day's arrays along
        select d.account_id, d.site_id, d.suffix, d.meter_register_id, d.profile_date, n.h,
               ((d.missing_mask | d.whole_mask) >> (n.h - 1)) & 1 = 1 as is_own,
               (d.whole_mask >> (n.h - 1)) & 1 = 1 as is_whole,
               case when d.method in ('GIANT_DAILY_MEAN', 'OWN_DAILY_MEAN') then coalesce(d.mean_half_hours[n.h], d.daily_mean / 48)
                    else coalesce(d.scalar * d.daily_total * d.shares[n.h], d.scalar * d.profile[n.h]::numeric,
                                  d.scalar * d.mean_macro / 48, d.daily_mean / 48) end as value,
               k.quality, k.value as read
        from day d
        cross join generate_series(1, 48) as n (h)
        left join lateral (
            select substr(u.qualities, n.h, 1) as quality, u.half_hours[n.h] / 10::numeric ^ u.scale as value
            from unnest(d.copies) u
            where (u.missing_mask >> (n.h - 1)) & 1 = 0
            limit 1
        ) k on true
    ),
    rounded as (
        select k.*, round(sum(k.value) over w, 3) - round(sum(k.value) over w - k.value, 3) as kwh,
               round(sum(k.read) over w, 3) - round(sum(k.read) over w - k.read, 3) as read_kwh,
               round(avg(k.read) over (partition by k.account_id, k.meter_register_id, k.profile_date), 3) as other_kwh
        from known k
        window w as (partition by k.account_id, k.meter_register_id order by k.profile_date, k.h)
    ),
    half_hour as (
        select distinct on (r.site_id, r.suffix, r.profile_date, r.h)
               r.site_id, r.suffix, r.profile_date, r.h,
               coalesce(r.read_kwh, r.kwh, case when not r.is_own then r.other_kwh end) as value,
               case when r.quality = 'E' and not r.is_whole then 'S' else coalesce(r.quality, 'E') end as quality
        from rounded r
        order by r.site_id, r.suffix, r.profile_date, r.h, r.is_own desc, r.account_id
    ),
    file_day as (
        select site_id, suffix, profile_date, array_agg(value order by h) as half_hours, string_agg(quality, '' order by h) as qualities
        from half_hour group by site_id, suffix, profile_date having count(value) = 48
    )
    select d.site_id, d.suffix, m.meter_serial, m.register_id, d.profile_date, d.half_hours, d.qualities
    from file_day d
    join lateral (   -- the meter of the day, or else the stream's latest
        select x.meter_serial, x.register_id from core.meter_register x
        where x.site_id = d.site_id and x.suffix = d.suffix and x.read_type = 'INTERVAL'
        order by d.profile_date between x.start_date and coalesce(x.end_date, 'infinity') desc, x.start_date desc limit 1
    ) m on true
    order by d.site_id, d.suffix, d.profile_date
$$;
