-- Purpose: the plans that an account has, each with its days, which share none and leave none out: its history's, of which a
-- later row ends an earlier one, and the account's own on days that the history does not have.
-- Inputs: the account; its own plan. Reads only.
create or replace function bua.plan_spans(p_account_id text, p_plan_code text)
returns table (plan_code text, days daterange)
language sql stable as $$
    with history as materialized (
        select p.plan_code, bua.day_range(p.from_date, least(p.to_date, lead(p.from_date) over (order by p.from_date) - 1)) as days
        from core.account_plan p where p.account_id = p_account_id
    )
    select h.plan_code, h.days from history h where not isempty(h.days)
    union all
    select p_plan_code, own
    from unnest(datemultirange(daterange(null, null)) - coalesce((select range_agg(h.days) from history h), '{}')) own
$$;
