-- Purpose: the back-billing limits that the run used, of every state and fuel that it has: how many months back a customer who is
-- not at fault may be billed, since when that holds, and the first day that could still be billed at AS_AT.
-- Input: run_date. Reads only.
create or replace function bua.evidence_back_billing_limits(p_run_date date)
returns table (jurisdiction text, fuel text, valid_from date, months integer, recoverable_from date)
language sql stable as $$
    select a.jurisdiction, a.fuel, l.from_date, l.months, bua.recoverable_from(a.jurisdiction, a.fuel, r.as_at)
    from bua.run r
    cross join (select distinct c.jurisdiction, c.fuel from core.account c
                join bua.bua_list_all_accounts(p_run_date) using (account_id)) a
    join lateral (
        select l.from_date, l.months from bua.back_billing_limit l
        where l.jurisdiction in (a.jurisdiction, '') and l.fuel = a.fuel and l.from_date <= r.as_at
        order by l.jurisdiction = '', l.from_date desc limit 1
    ) l on true
    where r.run_date = p_run_date
$$;
