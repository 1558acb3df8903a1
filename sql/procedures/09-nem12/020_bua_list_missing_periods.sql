-- Purpose: the missing periods of interval streams: consecutive market days, from period_from to period_to inclusive, that
-- lack a half-hour of an unbilled day. Inputs: run_date; optionally the sites. Reads only.
create or replace function bua.bua_list_missing_periods(p_run_date date, p_site_ids text[] default null)
returns table (account_id text, site_id text, suffix text, meter_register_id bigint, period_from date, period_to date)
language sql stable as $$
    select account_id, site_id, suffix, meter_register_id, min(profile_date), max(profile_date)
    from (
        select d.*, d.profile_date - (row_number() over (partition by d.account_id, d.meter_register_id
                                                         order by d.profile_date))::integer as island
        from bua.missing_days(p_run_date, bua.accounts_of_sites(p_run_date, p_site_ids)) d
    ) m
    group by account_id, site_id, suffix, meter_register_id, island
    order by site_id, suffix, min(profile_date), account_id
$$;
