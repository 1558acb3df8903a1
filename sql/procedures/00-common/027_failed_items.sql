-- Purpose: every work item of a run that failed, and every failed workflow instance of its invoicing and loading, with the
-- accounts that it concerns: the account itself, all accounts of a site, or none (a segment's month, a file).
-- Input: run_date. Reads only.
create or replace function bua.failed_items(p_run_date date)
returns table (run_type text, item_key text, account_id text, reason text)
language sql stable as $$
    with failed as (
        select c.run_type, c.item_key, c.run_type in ('UtilityProfile', 'NEM12') as is_site, c.reason
        from bua.bua_control c where c.run_date = p_run_date and c.state = 'FAIL'
        union all
        select i.workflow_name, p.item_key, p.is_site, coalesce(e.message, 'no reason recorded')
        from core.workflow w      -- by its name, which the engine's index begins with
        join core.workflow_instance i on i.workflow_name = w.workflow_name
        left join lateral (
            select x.message from core.workflow_exception x
            where x.workflow_instance_id = i.workflow_instance_id order by x.workflow_exception_id desc limit 1
        ) e on true
        cross join lateral (
            select a ->> 'account_id', false from jsonb_array_elements(i.payload -> 'accounts') a
            union
            select r ->> 'nmi', true from jsonb_array_elements(i.payload -> 'reads') r
            union
            select substring(k from '([^/]+)\.csv$'), true from jsonb_array_elements_text(i.payload -> 'keys') k
        ) p (item_key, is_site)
        where i.run_date = p_run_date and i.state = 'FAILED'
    )
    select f.run_type, f.item_key, a.account_id, f.reason
    from failed f
    left join lateral (select distinct o.account_id from core.account_site o where f.is_site and o.site_id = f.item_key) o on true
    left join core.account a on a.account_id = case when f.is_site then o.account_id else f.item_key end
$$;
