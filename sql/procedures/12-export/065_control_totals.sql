-- Purpose: the control totals of a run, as finance gets them in control.json: accounts and account-days by what became of
-- them, dollars and units by month, work items by outcome, parameters, the band of the
-- estimates, the known corrections of estimated bills (a memo), and what is left unbilled before the period. The days before the period are worth what the account's accrued days cost on
-- average; of an account without accrued days only the days are known. Input: run_date. Reads only.
create or replace function bua.control_totals(p_run_date date) returns jsonb
language sql stable as $$
    with unbilled as materialized (
        select * from bua.bua_list_unbilled_accounts(p_run_date)
    ),
    account as materialized (
        select l.account_id, a.open_date, a.close_date, r.period_start, r.period_end, u.unbilled,
               coalesce(bua.count_days(u.unbilled), 0) as unbilled_days,
               x.account_id is not null as is_excepted, coalesce(x.run_types, '') <> '' as is_failed,
               s.net_amount, coalesce(i.billed, '{}') as billed
        from bua.run r
        cross join bua.bua_list_all_accounts(p_run_date) l
        join core.account a on a.account_id = l.account_id
        left join unbilled u on u.account_id = l.account_id
        left join bua.account_exception x on (x.run_date, x.account_id) = (p_run_date, l.account_id)
        left join bua.account_summary s on (s.run_date, s.account_id) = (p_run_date, l.account_id)
        left join lateral (
            select range_agg(daterange(i.from_date, i.to_date, '[]')) as billed from core.invoice i
            where i.account_id = l.account_id and i.origin = 'PLATFORM' and not i.is_reversed and i.issued_date <= r.as_at
        ) i on true
        where r.run_date = p_run_date
    ),
    day as (
        select a.*, bua.count_days(a.billed * datemultirange(daterange(a.period_start, a.period_end))) as billed_days,
               case when a.open_date < a.period_start and not daterange(a.open_date, a.period_start) <@ a.billed
                    then bua.count_days((
                        select coalesce(range_agg(s.own), datemultirange(daterange(a.open_date, null)))
                               * datemultirange(daterange(null, a.period_start))
                        from bua.account_sites(array[a.account_id]) s) - a.billed) end as earlier_days
        from account a
    ),
    money as (
        select m.year_month, sum(m.net_amount) as net, sum(m.gst_amount) as gst, sum(m.discount_net_propensity) as discount,
               sum(case when a.uom = 'KWH' and m.stream_type <> 'SOLAR' then m.quantity else 0.000 end) as kwh,
               sum(case when a.uom = 'MJ' and m.stream_type <> 'SOLAR' then m.quantity else 0.000 end) as mj,
               sum(case when m.stream_type = 'SOLAR' then m.quantity else 0.000 end) as exported
        from bua.invoice_line_item_monthly m join bua.account_summary a using (run_date, account_id)
        where m.run_date = p_run_date group by 1
    )
    select jsonb_build_object(
        'run_date', r.run_date,
        'period', jsonb_build_object('from', r.period_start, 'to', r.accrual_date, 'as_at', r.as_at),
        'accounts', (select jsonb_build_object(
            'accrued', count(*) filter (where not is_excepted and unbilled_days > 0),
            'exceptions', count(*) filter (where is_excepted and not is_failed),
            'failed_items', count(*) filter (where is_failed),
            'fully_billed', count(*) filter (where not is_excepted and unbilled_days = 0),
            'total', count(*)) from day),
        'account_days', (select jsonb_build_object(
            'billed', coalesce(sum(billed_days), 0),
            'accrued', coalesce(sum(unbilled_days) filter (where not is_excepted), 0),
            'exceptions', coalesce(sum(unbilled_days) filter (where is_excepted), 0),
            'outside_supply', coalesce(sum(period_end - period_start - coalesce(billed_days, 0) - unbilled_days), 0),
            'total', coalesce(sum(period_end - period_start), 0)) from day),
        'totals', (select jsonb_build_object(
            'net_amount', coalesce(sum(net), 0.00), 'gst_amount', coalesce(sum(gst), 0.00), 'discount_amount', coalesce(sum(discount), 0.00),
            'kwh', coalesce(sum(kwh), 0.000), 'mj', coalesce(sum(mj), 0.000), 'kwh_exported', coalesce(sum(exported), 0.000)) from money),
        'supply_of_exceptions', (select coalesce(sum(net_amount) filter (where is_excepted), 0.00) from day),
        'months', (select coalesce(jsonb_object_agg(year_month, jsonb_build_object(
            'net_amount', net, 'gst_amount', gst, 'discount_amount', discount, 'kwh', kwh, 'mj', mj, 'kwh_exported', exported)), '{}')
            from money),
        'unbilled_before_period', (select jsonb_build_object(
            'accounts', count(*), 'days', coalesce(sum(earlier_days), 0),
            'net_amount', coalesce(sum(round(earlier_days * net_amount / nullif(unbilled_days, 0), 2)), 0.00),
            'accounts_without_a_daily_amount', count(*) filter (where net_amount is null))
            from day where earlier_days > 0),
        'catch_up', (select jsonb_build_object('accounts', count(*), 'net_amount', coalesce(sum(catch_up_amount), 0.00))
            from bua.account_summary where run_date = p_run_date and catch_up_amount is not null),
        'band', (select jsonb_build_object(
            'net_estimated', b.net_estimated, 'net_without_band', b.net_without_band, 'net_mid', b.net_mid,
            'of_80_percent', jsonb_build_object('net_low', b.net_low_80, 'net_high', b.net_high_80),
            'of_95_percent', jsonb_build_object('net_low', b.net_low_95, 'net_high', b.net_high_95),
            'segments', (select coalesce(jsonb_object_agg(concat_ws('|', s.fuel, s.segment), jsonb_build_object(
                'net_estimated', s.net_estimated, 'net_without_band', s.net_without_band, 'net_mid', s.net_mid,
                'net_low_80', s.net_low_80, 'net_high_80', s.net_high_80, 'representativeness', to_jsonb(s.rho), 'reason', s.reason)), '{}')
                from bua.estimate_band s where s.run_date = p_run_date and s.level = 'SEGMENT'))
            from bua.estimate_band b where b.run_date = p_run_date and b.level = 'BOOK'),
        'work_items', (select coalesce(jsonb_object_agg(run_type, jsonb_build_object(
            'planned', planned, 'done', done, 'skip', skip, 'fail', fail)), '{}') from (
                select run_type, count(*) as planned, count(*) filter (where state = 'DONE') as done,
                       count(*) filter (where state = 'SKIP') as skip, count(*) filter (where state = 'FAIL') as fail
                from bua.bua_control where run_date = p_run_date and run_type not in ('Export', 'ExportEvidence') group by 1) c),
        'failed', (select coalesce(jsonb_agg(jsonb_build_object('run_type', run_type, 'item', item_key, 'reason', reason)
                                             order by run_type, item_key), '[]')
                   from (select distinct run_type, item_key, reason from bua.failed_items(p_run_date) where run_type not in ('Export', 'ExportEvidence')) f),
        'incomplete_profiles', (select coalesce(jsonb_object_agg(segment, jsonb_build_object(
            'sites_missing', sites_missing, 'months_failed', months_failed, 'accounts', accounts)), '{}')
            from bua.incomplete_profiles(p_run_date)),
        'parameters', (select jsonb_object_agg(name, value) from bua.parameter),
        'code', (select encode(sha256(convert_to(string_agg(f.text, ',' order by f.text), 'UTF8')), 'hex') from (
            select name || checksum as text from bua.schema_migration union all select path || checksum from bua.schema_file) f)
    )
    from bua.run r where r.run_date = p_run_date
$$;
