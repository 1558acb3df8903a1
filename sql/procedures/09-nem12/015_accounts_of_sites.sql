-- Purpose: the accounts at some sites that were open in the period. Inputs: run_date, sites. Reads only.
create or replace function bua.accounts_of_sites(p_run_date date, p_site_ids text[]) returns text[]
language sql stable as $$
    select coalesce(array_agg(distinct o.account_id), '{}')
    from bua.run r
    join core.account_site o on o.site_id = any (p_site_ids)
    join core.account a on a.account_id = o.account_id
        and a.open_date < r.period_end and coalesce(a.close_date, 'infinity') >= r.period_start
    where r.run_date = p_run_date
$$;
