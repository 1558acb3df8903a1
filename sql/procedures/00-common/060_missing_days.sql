-- Purpose: the market days of interval streams on which a half-hour of an unbilled day has not been read. missing_mask
-- has only half-hours of unbilled local days. A delivered estimate counts as read.
-- Inputs: run_date, accounts. Reads only.
create or replace function bua.missing_days(p_run_date date, p_account_ids text[])
returns table (account_id text, site_id text, suffix text, stream_type text, meter_register_id bigint,
               register_ids bigint[], occupied datemultirange, profile_key text, jurisdiction text, profile_date date, missing_mask bigint)
language sql stable as $$
    select u.account_id, s.site_id, s.suffix, s.stream_type, s.meter_register_id, s.register_ids, s.occupied,
           s.profile_key, s.jurisdiction, d.profile_date,
           bit_or(d.half_hour_mask) & coalesce(bit_and(p.missing_mask), (1::bigint << 48) - 1)
    from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
    join bua.account_streams(p_account_ids) s on s.account_id = u.account_id and s.read_type = 'INTERVAL'
    join bua.market_day d
        on d.jurisdiction = s.jurisdiction
        and d.local_date >= lower(u.unbilled) and d.local_date < upper(u.unbilled)
        and u.unbilled @> d.local_date and s.days @> d.local_date
    left join bua.utility_profile p
        on p.run_date = p_run_date and p.meter_register_id = any (s.register_ids) and p.profile_date = d.profile_date
    group by u.account_id, s.site_id, s.suffix, s.stream_type, s.meter_register_id, s.register_ids, s.occupied,
             s.profile_key, s.jurisdiction, d.profile_date
    having bit_or(d.half_hour_mask) & coalesce(bit_and(p.missing_mask), (1::bigint << 48) - 1) <> 0
$$;
