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
    with half_hour as (
        select distinct on (r.site_id, r.suffix, r.profile_date, r.h)
               r.site_id, r.suffix, r.profile_date, r.h,
               coalesce(r.read_kwh, r.kwh, case when not r.is_own then r.other_kwh end) as value,
               case when r.quality = 'E' and not r.is_whole then 'S' else coalesce(r.quality, 'E') end as quality
        from bua.generated_half_hours(p_run_date, p_site_ids) r
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
