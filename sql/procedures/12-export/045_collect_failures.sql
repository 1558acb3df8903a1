-- Purpose: complete the exceptions when every account has been prepared: accounts whose preparation failed, failed items of
-- accounts without an unbilled day, and failed items that are no account's. Then tell the planner what the files and the
-- control totals will read.
-- Input: run_date. Tables written: bua.account_exception. Safe to rerun: adds only what is absent.
create or replace procedure bua.collect_failures(p_run_date date)
language sql as $$
    insert into bua.account_exception (run_date, account_id, site_id, fuel, jurisdiction, unbilled_from, unbilled_to,
                                       unbilled_days, reason, run_types, item_key)
    select p_run_date, coalesce(l.account_id, ''), u.site_id, a.fuel, a.jurisdiction, lower(u.unbilled), upper(u.unbilled) - 1,
           coalesce(bua.count_days(u.unbilled), 0),
           string_agg(f.reason, '; ' order by f.run_type, f.item_key),
           string_agg(distinct f.run_type, ';' order by f.run_type),
           case when l.account_id is null then f.item_key else '' end
    from (select distinct * from bua.failed_items(p_run_date) where run_type not in ('Export', 'ExportEvidence')) f
    left join bua.bua_list_all_accounts(p_run_date) l on l.account_id = f.account_id
    left join core.account a on a.account_id = l.account_id
    left join bua.bua_list_unbilled_accounts(p_run_date, array(select account_id from bua.failed_items(p_run_date))) u
        on u.account_id = l.account_id
    group by l.account_id, u.site_id, a.fuel, a.jurisdiction, u.unbilled, case when l.account_id is null then f.item_key else '' end
    on conflict do nothing;

    call bua.analyze_run('account_exception', p_run_date);
    call bua.analyze_run('account_summary', p_run_date);
    call bua.analyze_run('invoice_line_item_monthly', p_run_date);
$$;
