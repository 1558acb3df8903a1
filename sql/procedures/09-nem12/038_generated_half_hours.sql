-- Purpose: every half-hour of the market days that are generated for the missing reads of interval streams, with what it is
-- estimated at: scalar x the macro profile's day, divided by the stream's own shape, or the segment's where that is not known.
-- kwh is the estimate and read_kwh what was read, to three decimals, rounded cumulatively over a stream's days, so that
-- rounding errors never add up; value is the estimate before. is_missing: of an unbilled day, not read, so it is estimated.
-- is_whole: of a local day that the snapshot lacks, billed from the file alone. is_own: either of them. other_kwh is the mean of the
-- day's half-hours that were read. Inputs: run_date, sites. Reads only.
create or replace function bua.generated_half_hours(p_run_date date, p_site_ids text[])
returns table (account_id text, site_id text, suffix text, stream_type text, meter_register_id bigint, gap smallint, profile_date date,
               h integer, is_missing boolean, is_whole boolean, is_own boolean, quality text, value numeric, kwh numeric,
               read_kwh numeric, other_kwh numeric)
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
        select s.account_id, s.site_id, s.jurisdiction, s.suffix, s.stream_type, s.meter_register_id, s.profile_key, d.profile_date,
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
        group by s.account_id, s.site_id, s.jurisdiction, s.suffix, s.stream_type, s.meter_register_id, s.register_ids, s.profile_key, d.profile_date
    ),
    day as materialized (   -- everything is looked up once a day, not once a half-hour
        select m.*, s.gap, s.method, s.scalar, s.daily_mean, s.mean_macro, p.profile, d.daily_total, o.shares,
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
        select d.account_id, d.site_id, d.suffix, d.stream_type, d.meter_register_id, d.gap, d.profile_date, n.h,
               (d.missing_mask >> (n.h - 1)) & 1 = 1 and k.value is null as is_missing,
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
    )
    select r.account_id, r.site_id, r.suffix, r.stream_type, r.meter_register_id, r.gap, r.profile_date, r.h, r.is_missing, r.is_whole,
           r.is_own, r.quality, r.value, r.kwh, r.read_kwh, r.other_kwh
    from rounded r
$$;
