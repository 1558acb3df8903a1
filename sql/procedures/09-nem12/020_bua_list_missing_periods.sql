-- Purpose: the missing periods of interval streams: consecutive market days, from period_from to period_to inclusive, that
-- lack a half-hour of an unbilled day. Inputs: run_date; optionally the sites. Reads only. All accounts are looked at in batches.
create or replace function bua.bua_list_missing_periods(p_run_date date, p_site_ids text[] default null)
returns table (account_id text, site_id text, suffix text, meter_register_id bigint, period_from date, period_to date)
language plpgsql stable as $$
#variable_conflict use_column
declare
    v_accounts text[] := case when p_site_ids is null then array(select account_id from bua.bua_list_all_accounts(p_run_date) order by 1)
                              else bua.accounts_of_sites(p_run_date, p_site_ids) end;
    v_batch    constant integer := 1000;
begin
    for i in 1 .. cardinality(v_accounts) by v_batch loop
        return query
            select account_id, site_id, suffix, meter_register_id, min(profile_date), max(profile_date)
            from (
                select d.*, d.profile_date - (row_number() over (partition by d.account_id, d.meter_register_id
                                                                 order by d.profile_date))::integer as island
                from bua.missing_days(p_run_date, v_accounts[i : i + v_batch - 1]) d
            ) m
            group by account_id, site_id, suffix, meter_register_id, island
            order by site_id, suffix, min(profile_date), account_id;
    end loop;
end $$;
