-- Purpose: every work item of a run that failed, and every failed workflow instance of its invoicing and loading, with the
-- accounts of the period that it concerns: the account itself, all accounts of a site, or none (a segment's month, a file, a
-- table). reason begins with what did not succeed, in finance's words; PostgreSQL's list of who called whom is left out.
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
            union
            select i.payload ->> 'relation', false where i.payload ? 'relation'
        ) p (item_key, is_site)
        where i.run_date = p_run_date and i.state = 'FAILED'
    )
    select f.run_type, f.item_key, a.account_id,
           f.run_type || ' failed' || coalesce(', ' || bua.what_failed(f.run_type), '') || ': '
               || btrim(regexp_replace(regexp_replace(f.reason, '\sCONTEXT: .*$', ''), '\s+', ' ', 'g'))
    from failed f
    left join lateral (
        select distinct l.account_id
        from bua.bua_list_all_accounts(p_run_date) l join core.account_site o using (account_id)
        where f.is_site and o.site_id = f.item_key
    ) o on true
    left join core.account a on a.account_id = case when f.is_site then o.account_id else f.item_key end
$$;

-- What a failed work item or workflow instance means for finance.
create or replace function bua.what_failed(p_run_type text) returns text
language sql immutable as $$
    select case
        when p_run_type = 'UtilityProfile' then 'the site''s interval reads could not be taken over'
        when p_run_type like 'SegmentJurisdiction%' then 'a month of the segment''s average could not be worked out or corrected'
        when p_run_type = 'Validate' then 'a month of the segment''s average could not be compared with what is billed; no amount rests on it'
        when p_run_type = 'MicroScalar' then 'the account''s usual use could not be worked out'
        when p_run_type = 'ResetBasicRead' then 'estimates of an earlier attempt could not be removed'
        when p_run_type = 'BasicRead' then 'missing index reads could not be estimated'
        when p_run_type = 'NEM12' then 'missing interval reads could not be estimated'
        when p_run_type in ('LOAD_NEM12', 'IMPORT_NEM12') then 'the platform did not take over the estimated interval reads'
        when p_run_type in ('GENERATE_ILI', 'RUN_INVOICE_BATCH', 'INVOICEGEN') then 'the platform could not invoice the account'
        when p_run_type = 'PrepareExport' then 'the account''s rows could not be prepared, nothing of it is accrued'
        when p_run_type like 'WARM\_%' then 'a table or index was not read into memory beforehand; no amount rests on it'
    end
$$;
