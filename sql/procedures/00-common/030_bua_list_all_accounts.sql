-- Purpose: the accounts that were open on some day of the period. Input: run_date. Reads only.
create or replace function bua.bua_list_all_accounts(p_run_date date)
returns table (account_id text)
language sql stable as $$
    select a.account_id
    from bua.run r
    join core.account a on a.open_date < r.period_end and coalesce(a.close_date, 'infinity') >= r.period_start
    where r.run_date = p_run_date
$$;
