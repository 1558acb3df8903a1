-- Purpose: what does not add up in a run that is to be handed over, each with how many cases and one to look at. No row
-- means: every work item has its outcome; the rows that the invoices rest on are all there; every unbilled account was
-- invoiced or is an exception; quantities, lines, months, accounts and finance's summary agree exactly.
-- Input: run_date. Reads only. Everything is compared with everything once: without nested loops, which a planner that does
-- not know the sizes of the steps might choose, and which would cost the square of the run.
create or replace function bua.broken_identities(p_run_date date)
returns table (identity text, cases bigint, example text)
language sql stable set enable_nestloop = off as $$
    with unbilled as materialized (
        select u.account_id, u.unbilled, bua.count_days(u.unbilled) as days from bua.bua_list_unbilled_accounts(p_run_date) u
    ),
    excepted as materialized (   -- failed: what of the account did not succeed
        select x.*, coalesce(string_to_array(x.run_types, ';'), '{}') as failed
        from bua.account_exception x where x.run_date = p_run_date and x.account_id <> ''
    ),
    scheduled as materialized (
        select w.payload ->> 'account_id' as account_id
        from core.workflow_schedule s cross join lateral jsonb_array_elements(s.payload -> 'accounts') w (payload)
        where s.run_date = p_run_date and s.workflow_name = 'GENERATE_ILI'
    ),
    invoice as materialized (
        select invoice_id, account_id, net_amount, gst_amount from core.invoice where origin = 'BUA' and run_date = p_run_date
    ),
    line as materialized (
        select i.account_id, l.* from invoice i join core.invoice_line_item l using (invoice_id)
    ),
    line_month as materialized (
        select l.account_id, l.item_type, l.time_class, l.line_state, m.*
        from line l join core.invoice_line_item_month m using (invoice_line_item_id)
    ),
    quantity as materialized (
        select * from core.billable_quantity where run_date = p_run_date
    ),
    exported as materialized (
        select * from bua.invoice_line_item_monthly where run_date = p_run_date
    ),
    exported_account as materialized (
        select account_id, count(*) as rows, sum(net_amount) as net, sum(gst_amount) as gst,
               sum(discount_net_propensity) as discount,
               coalesce(sum(quantity) filter (where stream_type <> 'SOLAR' and line_state = 'ACTUAL'), 0) as actual,
               coalesce(sum(quantity) filter (where stream_type <> 'SOLAR' and line_state = 'ESTIMATED'), 0) as estimated,
               sum(days) filter (where item_type = 'DAILY') as supply_days
        from exported group by 1
    ),
    to_export as materialized (   -- what of the invoices has to be exported
        select account_id, count(*) as rows, sum(m.days) filter (where m.item_type = 'DAILY') as supply_days
        from line_month m left join excepted x using (account_id)
        where x.account_id is null or m.item_type = 'DAILY' and 'PrepareExport' <> all (x.failed)
        group by 1
    ),
    to_export_amount as materialized (
        select account_id, sum(l.net_amount) as net, sum(l.gst_amount) as gst, sum(l.discount_net_propensity) as discount
        from line l left join excepted x using (account_id)
        where x.account_id is null or l.item_type = 'DAILY' and 'PrepareExport' <> all (x.failed)
        group by 1
    ),
    summary as materialized (
        select * from bua.account_summary where run_date = p_run_date
    ),
    broken as (
        select 'every work item has an outcome' as identity, item_key as example, run_type as place
        from bua.bua_control where run_date = p_run_date and state = 'PENDING' and run_type not in ('Export', 'ExportEvidence')
        union all
        select 'the work items are those that were planned', run_type, run_type
        from (select run_type, planned from bua.fan_out where run_date = p_run_date) f
        full join (select run_type, count(*) as found from bua.bua_control where run_date = p_run_date group by 1) c
            using (run_type)
        where f.planned is null or f.planned <> coalesce(c.found, 0)   -- a fan-out may have nothing to do
        union all
        select 'the work items are those that were planned', run_type || ' batch ' || batch_no, run_type
        from (select distinct run_type, batch_no from bua.bua_control where run_date = p_run_date) c
        left join (select run_type, batch_no, true as is_planned from bua.fan_out_batch where run_date = p_run_date) b
            using (run_type, batch_no)
        where b.is_planned is null
        union all
        select 'the rows that the invoices rest on are there: ' || c.table_name,
               coalesce(r.rows, 0) || ' rows were recorded, there are ' || c.rows, c.table_name
        from bua.count_rows(p_run_date) c
        left join bua.row_count r on (r.run_date, r.table_name) = (p_run_date, c.table_name)
        where r.rows is distinct from c.rows
        union all
        select 'the rows that the invoices rest on are there: bua.utility_profile',
               d.written || ' rows were written, there are ' || d.found, 'bua.utility_profile'
        from bua.count_interval_days(p_run_date) d where d.written <> d.found
        union all
        select 'the accounts invoiced are those unbilled', account_id, ''
        from unbilled u full join scheduled s using (account_id) where u.account_id is null or s.account_id is null
        union all
        select 'every unbilled account has an invoice, or its invoicing failed', s.account_id, ''
        from scheduled s
        where not exists (select from invoice i where i.account_id = s.account_id)
          and not exists (select from excepted x where x.account_id = s.account_id
                          and x.failed && array['GENERATE_ILI', 'RUN_INVOICE_BATCH'])
        union all
        select 'an invoice is the sum of its lines', i.account_id, ''
        from invoice i left join (
            select invoice_id, sum(net_amount) as net, sum(gst_amount) as gst from line group by 1) l using (invoice_id)
        where (i.net_amount, i.gst_amount) is distinct from (coalesce(l.net, 0), coalesce(l.gst, 0))
          and not exists (select from excepted x where x.account_id = i.account_id and 'INVOICEGEN' = any (x.failed))
        union all
        select 'a line is the sum of its months', l.account_id, ''
        from line l left join (
            select invoice_line_item_id, sum(quantity) as quantity, sum(days) as days from line_month group by 1
        ) m using (invoice_line_item_id)
        where (l.quantity, l.days::bigint) is distinct from (m.quantity, m.days)
        union all
        select 'what is billable is on the lines', account_id, ''
        from (
            select account_id, item_type, time_class, line_state, year_month, sum(quantity) as billable
            from quantity group by 1, 2, 3, 4, 5
        ) q
        full join (
            select account_id, item_type, time_class, line_state, year_month, sum(quantity) as invoiced
            from line_month group by 1, 2, 3, 4, 5
        ) m
            using (account_id, item_type, time_class, line_state, year_month)
        where (q.billable is null or m.invoiced is null or abs(q.billable - m.invoiced) > 0.000001)
          and not exists (select from excepted x where x.account_id = coalesce(q.account_id, m.account_id)
                          and 'RUN_INVOICE_BATCH' = any (x.failed))
        union all
        select 'every account of the period is accrued, an exception or billed, once', account_id, ''
        from unbilled u
        full join (select account_id from summary union select account_id from excepted where unbilled_days > 0) e using (account_id)
        where u.account_id is null or e.account_id is null
        union all
        select 'an account of which only the supply is accrued is an exception', s.account_id, ''
        from summary s left join excepted x on x.account_id = s.account_id
        where (s.flags ~ 'SUPPLY_ONLY') <> (x.account_id is not null)
        union all
        select 'every account-day is billed, accrued or outside supply, once', u.account_id, ''
        from unbilled u
        join (select account_id, unbilled_from, unbilled_to, unbilled_days from summary
              union all select account_id, unbilled_from, unbilled_to, unbilled_days from excepted) e using (account_id)
        where (e.unbilled_from, e.unbilled_to, e.unbilled_days)
              is distinct from (lower(u.unbilled), upper(u.unbilled) - 1, u.days)
        union all
        select 'no account-day is charged twice', l.account_id, ''
        from exported_account l join unbilled u using (account_id) where l.supply_days > u.days
        union all
        select 'the exported lines are those of the invoices', account_id, ''
        from exported_account e full join to_export t using (account_id) full join to_export_amount a using (account_id)
        where (e.rows, e.supply_days, e.net, e.gst, e.discount) is distinct from (t.rows, t.supply_days, a.net, a.gst, a.discount)
        union all
        select 'an account is the sum of its lines', account_id, ''
        from summary s full join exported_account e using (account_id)
        where (s.net_amount, s.gst_amount, s.discount_amount, s.units_actual, s.units_estimated, s.units_total)
              is distinct from (e.net, e.gst, e.discount, e.actual, e.estimated, e.actual + e.estimated)
        union all
        select 'finance''s summary is the sum of the lines, month by month', year_month, ''
        from (
            select year_month, sum(net_amount) as net, sum(gst_amount) as gst, sum(discount_amount) as discount,
                   sum(units_actual) as actual, sum(units_estimated) as estimated, sum(units_exported) as exported
            from bua.export_summary where run_date = p_run_date group by 1
        ) f
        full join (
            select year_month, sum(net_amount) as net, sum(gst_amount) as gst, sum(discount_net_propensity) as discount,
                   sum(quantity) filter (where stream_type <> 'SOLAR' and line_state = 'ACTUAL') as actual,
                   sum(quantity) filter (where stream_type <> 'SOLAR' and line_state = 'ESTIMATED') as estimated,
                   sum(quantity) filter (where stream_type = 'SOLAR') as exported
            from exported group by 1
        ) l using (year_month)
        where (f.net, f.gst, f.discount, f.actual, f.estimated, f.exported)
              is distinct from (l.net, l.gst, l.discount, l.actual, l.estimated, l.exported)
        union all
        select 'the bands are those of the estimated dollars', fuel || ' ' || segment, ''
        from (   -- a segment, a fuel and the book
            select coalesce(a.fuel, '') as fuel, case when a.fuel is not null then coalesce(g.segment, '') else '' end as segment,
                   coalesce(sum(m.net_amount), 0) as net
            from exported m
            join summary a on a.account_id = m.account_id
            cross join lateral (select case a.fuel when 'GAS' then concat_ws('|', a.jurisdiction, a.node)
                                       else concat_ws('|', a.jurisdiction, a.customer_class, m.stream_type) end as segment) g
            where m.line_state = 'ESTIMATED'
            group by grouping sets ((a.fuel, g.segment), (a.fuel), ())
        ) m
        full join (select * from bua.estimate_band where run_date = p_run_date) b using (fuel, segment)
        where m.net is distinct from b.net_estimated
        union all
        select 'every estimated account has a band or the reason why not', account_id, ''
        from (select account_id, units_estimated from summary where units_estimated > 0) s
        full join (select * from bua.account_band where run_date = p_run_date) b using (account_id)
        where s.account_id is null or num_nonnulls(b.units_low_80, b.no_band) <> 1
        union all
        select 'every failed work item is among the exceptions', f.run_type || ' ' || f.item_key, ''
        from bua.failed_items(p_run_date) f
        where f.run_type not in ('Export', 'ExportEvidence')
          and not exists (select from bua.account_exception x
                          where x.run_date = p_run_date and f.run_type = any (string_to_array(x.run_types, ';'))
                            and x.account_id = f.account_id)
          and not exists (select from bua.account_exception x
                          where x.run_date = p_run_date and f.run_type = any (string_to_array(x.run_types, ';'))
                            and x.item_key = f.item_key)
    )
    select b.identity, count(*), min(b.example) from broken b group by b.identity, b.place order by 1, b.place
$$;
