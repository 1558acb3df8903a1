-- Purpose: the plan of accounts on every day: their history's rows, a later one ending an earlier one, and on days without a
-- row the account's own plan. Dates are inclusive; -infinity and infinity mean without a limit.
-- Inputs: the accounts. Reads only.
create or replace function core.account_plans(p_account_ids text[])
returns table (account_id text, plan_code text, from_date date, to_date date)
language sql stable as $$
    with history as (
        select p.account_id, p.plan_code, p.from_date,
               least(p.to_date, lead(p.from_date) over (partition by p.account_id order by p.from_date) - 1, 'infinity') as to_date
        from core.account_plan p
        where p.account_id = any (p_account_ids)
    )
    select account_id, plan_code, from_date, to_date from history where to_date >= from_date
    union all
    select a.account_id, a.plan_code, lower(d.days), upper(d.days) - 1
    from core.account a
    cross join lateral unnest(
        datemultirange(daterange('-infinity', 'infinity', '[]')) - coalesce((
            select range_agg(daterange(h.from_date, h.to_date, '[]')) from history h
            where h.account_id = a.account_id and h.to_date >= h.from_date), '{}')
    ) d (days)
    where a.account_id = any (p_account_ids)
$$;
