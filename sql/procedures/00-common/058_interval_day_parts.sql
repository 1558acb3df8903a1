-- Purpose: which unbilled days of interval streams count as read. A local day counts as read exactly if what is billable of
-- it is in the snapshot. The snapshot has the platform's billable kWh of the day; the run's own copy of the interval reads
-- (bua.utility_profile) has its half-hours, and may be newer. A day is never half of each. day_state says:
--   READ     the snapshot bills the day
--   DIFFERS  the snapshot bills the day; the copy, read later, says something else
--   PARTLY   both agree that half-hours are missing: the snapshot bills the known ones, the missing ones are estimated
--   WHOLE    the snapshot lacks the day or a part of it, or has a read of it that is not believed: it is billed from the
--            generated file alone, which has the copy's half-hours and estimates of those that the copy lacks
-- A day of the snapshot that cannot be, beside a copy that can, is not believed: snapshot_limit, in kWh, is set on it alone.
-- Returns a row for every market day that a local day has half-hours on, one or two; missing_mask has those of the local
-- day's half-hours that the copy lacks. A delivered estimate is not missing.
-- Inputs: run_date, accounts. Reads only.
create or replace function bua.interval_day_parts(p_run_date date, p_account_ids text[])
returns table (account_id text, site_id text, jurisdiction text, suffix text, stream_type text, meter_register_id bigint,
               register_ids bigint[], occupied datemultirange, profile_key text, local_date date, profile_date date,
               missing_mask bigint, day_state text, snapshot_units numeric, copy_units numeric, snapshot_limit numeric)
language sql stable as $$
    with stream as materialized (
        select s.*, u.unbilled
        from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
        join bua.account_streams(p_account_ids) s on s.account_id = u.account_id and s.read_type = 'INTERVAL'
        where u.unbilled && s.days
    )
    -- Stream by stream: the days of a batch, joined with each other, would cost its square.
    select s.account_id, s.site_id, s.jurisdiction, s.suffix, s.stream_type, s.meter_register_id, s.register_ids, s.occupied,
           s.profile_key, x.local_date, x.profile_date, x.missing_mask, x.state, x.snapshot_units, x.units, x.snapshot_limit
    from stream s
    cross join lateral bua.interval_day_limit(p_run_date, s.register_ids, s.profile_key) l
    cross join lateral (
        with snapshot as materialized (
            select a.from_date as local_date, sum(a.quantity) as units
            from core.aggregated_read a
            where a.meter_register_id = any (s.register_ids) and a.origin = 'PLATFORM'
              and a.from_date >= lower(s.unbilled) and a.from_date < upper(s.unbilled)
            group by 1
        ),
        implausible as materialized (   -- market days with half-hours that were read and are not believed
            select r.read_date as profile_date, bit_or(1::bigint << (h - 1)) as half_hour_mask
            from bua.implausible_read r
            cross join unnest(r.half_hours) h
            where r.run_date = p_run_date and r.meter_register_id = any (s.register_ids)
            group by 1
        ),
        calendar as materialized (
            select d.local_date, d.profile_date, d.half_hour_mask
            from bua.market_day d
            where d.jurisdiction = s.jurisdiction
              and d.local_date >= lower(s.unbilled) and d.local_date < upper(s.unbilled)
              and s.unbilled @> d.local_date and s.days @> d.local_date
        ),
        copy as materialized (  -- a local day has half-hours of the market days beside it
            select p.profile_date, p.half_hours, p.scale, p.day_total, p.missing_mask
            from bua.utility_profile p
            where p.run_date = p_run_date and p.meter_register_id = any (s.register_ids)
              and p.profile_date >= lower(s.unbilled) - 1 and p.profile_date <= upper(s.unbilled)
        ),
        known as (
            select d.local_date, d.profile_date, d.half_hour_mask,
                   d.half_hour_mask & coalesce(bit_and(p.missing_mask), -1) as missing_mask, coalesce(sum(k.units), 0) as units
            from calendar d
            left join copy p on p.profile_date = d.profile_date
            cross join lateral bua.known_units(p.half_hours, p.scale, p.day_total, p.missing_mask, d.half_hour_mask) k
            group by d.local_date, d.profile_date, d.half_hour_mask
        ),
        part as materialized (
            select k.*, coalesce(k.half_hour_mask & i.half_hour_mask, 0) <> 0 as is_implausible
            from known k left join implausible i using (profile_date)
        ),
        day as (    -- a window, not a join: it would look at every day of the stream for each of them
            select p.local_date, p.profile_date, p.missing_mask, n.units as snapshot_units, sum(p.units) over d as units,
                   bool_or(p.missing_mask <> 0) over d as is_missing, bool_or(p.missing_mask <> p.half_hour_mask) over d as is_known,
                   bool_or(p.is_implausible) over d as is_implausible,
                   bool_or(abs(n.units - p.units) <= (select bua.parameter('read_tolerance'))) over d as is_part,
                   abs(n.units - sum(p.units) over d) <= (select bua.parameter('read_tolerance')) as is_same
            from part p
            left join snapshot n using (local_date)
            window d as (partition by p.local_date)
        )
        select d.local_date, d.profile_date, d.missing_mask, d.snapshot_units, d.units,
               case when d.snapshot_units > l.day_limit and d.units <= l.day_limit then l.day_limit end as snapshot_limit,
               case when d.is_implausible or d.snapshot_units > l.day_limit and d.units <= l.day_limit then 'WHOLE'
                    else bua.day_state(d.snapshot_units, d.units, d.is_same, d.is_part, d.is_known, d.is_missing) end as state
        from day d
    ) x
$$;

-- The state of a local day, from its kWh in the snapshot (null = no row) and in the copy; whether the two agree; whether the
-- snapshot agrees with the copy's half-hours of one market day; whether the copy knows, and whether it lacks, a half-hour.
create or replace function bua.day_state(p_snapshot numeric, p_copy numeric, p_is_same boolean, p_is_part boolean,
                                         p_is_known boolean, p_is_missing boolean) returns text
language sql immutable as $$
    select case when p_snapshot is null then 'WHOLE'
                when not p_is_known then 'READ'
                when p_is_same then case when p_is_missing then 'PARTLY' else 'READ' end
                -- The snapshot has one of the day's two market days.
                when p_is_part then 'WHOLE'
                -- A day that lacks half-hours now was not complete before, and the snapshot knows even less of it.
                when p_is_missing and p_snapshot < p_copy then 'WHOLE'
                else 'DIFFERS' end
$$;

-- The kWh of those half-hours of a market day that are in p_mask and known. A local day begins or ends a market day: of a
-- complete one the shorter of the two parts is added up, and the longer is the rest.
create or replace function bua.known_units(p_half_hours integer[], p_scale smallint, p_day_total bigint, p_missing_mask bigint,
                                           p_mask bigint) returns table (units numeric)
language sql immutable as $$
    select case
        when p_mask = (1::bigint << 48) - 1 then p_day_total / 1e6
        when p_missing_mask <> 0 or p_mask & (p_mask + 1) <> 0 and (p_mask | (p_mask - 1)) <> (1::bigint << 48) - 1
        then (select coalesce(sum(v.value), 0) / 10::numeric ^ p_scale
              from unnest(p_half_hours) with ordinality as v (value, h)
              where ((p_mask & ~p_missing_mask) >> (v.h - 1)::integer) & 1 = 1)
        when p_mask & 1 = 1 and bit_count(p_mask::bit(48)) <= 24
        then (select sum(v) from unnest(p_half_hours[:bit_count(p_mask::bit(48))]) v) / 10::numeric ^ p_scale
        when p_mask & 1 = 1
        then p_day_total / 1e6 - (select sum(v) from unnest(p_half_hours[bit_count(p_mask::bit(48)) + 1:]) v) / 10::numeric ^ p_scale
        when bit_count(p_mask::bit(48)) <= 24
        then (select sum(v) from unnest(p_half_hours[49 - bit_count(p_mask::bit(48)):]) v) / 10::numeric ^ p_scale
        else p_day_total / 1e6 - (select sum(v) from unnest(p_half_hours[:48 - bit_count(p_mask::bit(48))]) v) / 10::numeric ^ p_scale
    end
$$;
