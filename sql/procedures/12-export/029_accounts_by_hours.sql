-- Purpose: the accounts with units of a basic register that were divided among time classes (bua.class_shares).
-- Inputs: run_date, accounts. Reads only. Its plan is made once a session.
create or replace function bua.accounts_by_hours(p_run_date date, p_account_ids text[]) returns table (account_id text)
language plpgsql stable rows 100 set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query select distinct s.account_id
    from bua.account_streams(p_account_ids) s
    join core.aggregated_read a on a.meter_register_id = s.meter_register_id and s.days @> a.from_date
        and a.origin = 'BUA' and a.run_date = p_run_date and a.time_class <> 'ANYTIME'
    where s.read_type = 'BASIC';
end $$;
