-- Purpose: what interval streams are estimated at, by day, so that estimates can be recomputed from the exports alone. Of the run's own
-- estimates (origin BUA) a row for each market day: how many half-hours are missing, day_units, the estimate of the whole day, and units, that
-- of the missing half-hours as its meter data file has them. delivered_units are estimates of the meter data provider that the
-- file repeats. Of those that the snapshot bills (PLATFORM) a row for each bill day. Units are kWh.
-- Inputs: run_date, accounts. Reads only.
create or replace function bua.evidence_estimated_days(p_run_date date, p_account_ids text[])
returns table (account_id text, meter_serial text, register_id text, stream_type text, origin text, gap smallint, estimated_date date,
               half_hours integer, day_units numeric, units numeric, delivered_units numeric)
language sql stable as $$
    with own as (
        select g.account_id, g.meter_register_id, g.stream_type, g.gap, g.profile_date,
               count(*) filter (where g.is_missing and g.kwh is not null)::integer as half_hours, round(sum(g.value), 6) as day_units,
               coalesce(sum(g.kwh) filter (where g.is_missing), 0) as units,
               coalesce(sum(g.read_kwh) filter (where g.is_whole and g.quality = 'E'), 0) as delivered_units
        from bua.generated_half_hours(p_run_date, (
            select array_agg(distinct s.site_id) from bua.micro_scalar s
            where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.read_type = 'INTERVAL')) g
        where g.account_id = any (p_account_ids)
        group by 1, 2, 3, 4, 5
    )
    select o.account_id, m.meter_serial, m.register_id, o.stream_type, 'BUA', o.gap, o.profile_date, o.half_hours, o.day_units, o.units,
           o.delivered_units
    from own o join core.meter_register m using (meter_register_id)
    where o.half_hours > 0 or o.delivered_units > 0
    union all
    select s.account_id, m.meter_serial, m.register_id, s.stream_type, 'PLATFORM', null, a.from_date, null, null, 0, sum(a.quantity)
    from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
    join bua.account_streams(p_account_ids) s using (account_id)
    join core.meter_register m using (meter_register_id)
    join core.aggregated_read a on a.meter_register_id = any (s.register_ids) and a.origin = 'PLATFORM' and a.read_state = 'ESTIMATED'
        and s.days @> a.from_date and u.unbilled @> a.from_date
    where s.read_type = 'INTERVAL'
    group by 1, 2, 3, 4, 7
$$;
