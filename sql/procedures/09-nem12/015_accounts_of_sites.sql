-- Purpose: the accounts at some sites that were open in the period; at all sites when none are named.
-- Inputs: run_date, sites. Reads only.
create or replace function bua.accounts_of_sites(p_run_date date, p_site_ids text[]) returns text[]
language sql stable as $$
    select coalesce(array_agg(distinct o.account_id), '{}')
    from bua.bua_list_all_accounts(p_run_date) a join core.account_site o on o.account_id = a.account_id
    where p_site_ids is null or o.site_id = any (p_site_ids)
$$;
