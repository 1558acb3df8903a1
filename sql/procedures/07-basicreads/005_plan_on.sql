-- Purpose: the plan that an account has on a day: its history's, and the account's own where that has none. A later row of
-- the history ends an earlier one. Inputs: the account; its own plan; the day. Reads only. A table of one row: so
-- it becomes part of the statement that asks.
create or replace function bua.plan_on(p_account_id text, p_plan_code text, p_date date)
returns table (plan_code text)
language sql stable as $$
    select coalesce((
        select case when coalesce(p.to_date, 'infinity') >= p_date then p.plan_code end
        from core.account_plan p where p.account_id = p_account_id and p.from_date <= p_date
        order by p.from_date desc limit 1), p_plan_code)
$$;
