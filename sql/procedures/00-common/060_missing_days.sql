-- Purpose: the market days of interval streams on which a half-hour of an unbilled day has to be estimated: the day does
-- not count as read, and the run's own copy of the interval reads lacks the half-hour. missing_mask has only half-hours of
-- such local days. Inputs: run_date, accounts. Reads only.
create or replace function bua.missing_days(p_run_date date, p_account_ids text[])
returns table (account_id text, site_id text, suffix text, stream_type text, meter_register_id bigint,
               register_ids bigint[], occupied datemultirange, profile_key text, jurisdiction text, profile_date date, missing_mask bigint)
language sql stable as $$
    select account_id, site_id, suffix, stream_type, meter_register_id, register_ids, occupied, profile_key, jurisdiction,
           profile_date, bit_or(missing_mask)
    from bua.interval_day_parts(p_run_date, p_account_ids)
    where day_state in ('PARTLY', 'WHOLE')
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    having bit_or(missing_mask) <> 0
$$;
