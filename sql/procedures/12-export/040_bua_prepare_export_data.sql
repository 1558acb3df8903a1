-- Purpose: fill the tables that are exported. An account whose units cannot be worked out at all, or of which a work item
-- failed, goes to bua.account_exception, with the reason; only its supply is accrued. An account without an unbilled day is
-- skipped.
-- Inputs: run_date, accounts. Units are kWh or MJ, money is dollars.
-- Tables written: bua.account_summary, bua.invoice_line_item_monthly, bua.account_exception.
-- Safe to rerun: replaces the accounts' rows.
create or replace procedure bua.bua_prepare_export_data(p_run_date date, p_account_ids text[])
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    v_items    text[];
    v_excepted text[];
begin
    delete from bua.account_summary where run_date = p_run_date and account_id = any (p_account_ids);
    delete from bua.account_exception where run_date = p_run_date and account_id = any (p_account_ids);
    delete from bua.invoice_line_item_monthly where run_date = p_run_date and account_id = any (p_account_ids);

    -- Each of these is worked out once for all accounts: the planner expects one account, and would do it for each again.
    with unbilled as materialized (
        select u.*, f.recoverable_from
        from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
        join bua.run r on r.run_date = p_run_date
        left join lateral bua.recoverable_from(u.jurisdiction, u.fuel, r.as_at) f on true
    ),
    covered as materialized (
        select * from bua.uncovered_days(p_run_date, p_account_ids)
    ),
    exception as (
        insert into bua.account_exception
        select p_run_date, u.account_id, u.site_id, u.fuel, u.jurisdiction, lower(u.unbilled), upper(u.unbilled) - 1,
               bua.count_days(u.unbilled),
               case when f.account_id is not null then f.reason
                    when not exists (select from bua.account_streams(array[u.account_id]) s where s.days && u.unbilled)
                        then 'No register at the site during the unbilled days: check registers'
                    when i.invoice_id is null then 'No invoice was generated: see the workflow exceptions of GENERATE_ILI'
                    when c.uncovered_days = c.stream_days then 'No reads, no invoice that is not an estimate and no profile to work from'
                    else 'The generated invoice has no line: check the plan' end,
               f.run_types
        from unbilled u
        left join covered c on c.account_id = u.account_id
        left join core.invoice i on i.account_id = u.account_id and i.origin = 'BUA' and i.run_date = p_run_date
        left join (
            select account_id, string_agg(distinct run_type, ';' order by run_type) as run_types,
                   string_agg(reason, '; ' order by run_type, item_key) as reason
            from bua.failed_items(p_run_date) where account_id = any (p_account_ids) group by 1
        ) f on f.account_id = u.account_id
        left join lateral (
            select true as has_line
            from core.invoice_line_item l join core.invoice_line_item_month using (invoice_line_item_id)
            where l.invoice_id = i.invoice_id limit 1
        ) l on true
        where f.account_id is not null or c.account_id is null or i.invoice_id is null or c.uncovered_days = c.stream_days
            or l.has_line is null
        returning account_id
    ),
    monthly as (
        insert into bua.invoice_line_item_monthly
        select p_run_date, l.account_id, l.line_no, l.year_month, l.item_type, l.stream_type, l.time_class, l.quantity, l.days,
               l.rate, l.net_amount, l.gst_amount, l.discount_net, l.discount_net_propensity, l.line_state, l.plan_item_id
        from bua.export_lines(p_run_date, p_account_ids) l
        where l.item_type = 'DAILY' or l.account_id not in (select x.account_id from exception x)
        returning account_id, stream_type, quantity, rate, net_amount, gst_amount, discount_net_propensity, line_state
    ),
    by_hours as materialized (
        select * from bua.accounts_by_hours(p_run_date, p_account_ids)
    ),
    leading_scalar as materialized (
        select * from bua.leading_scalars(p_run_date, p_account_ids)
    ),
    last_read as materialized (
        select * from bua.last_reads(p_run_date, p_account_ids)
    ),
    catch_up as materialized (
        select * from bua.catch_ups(p_run_date, p_account_ids)
    ),
    line as materialized (
        select m.account_id,
               coalesce(sum(m.quantity) filter (where m.line_state = 'ACTUAL' and m.stream_type <> 'SOLAR'), 0) as units_actual,
               coalesce(sum(m.quantity) filter (where m.line_state = 'ESTIMATED' and m.stream_type <> 'SOLAR'), 0) as units_estimated,
               sum(m.net_amount) as net_amount, sum(m.gst_amount) as gst_amount,
               sum(m.discount_net_propensity) as discount_amount,
               coalesce(sum(m.net_amount) filter (where m.line_state = 'ESTIMATED'), 0) as net_estimated,
               bool_or(m.rate is null) as is_unpriced,
               bool_or(m.line_state = 'ESTIMATED') as is_estimated
        from monthly m
        group by m.account_id
    )
    insert into bua.account_summary
    select p_run_date, u.account_id, u.site_id, u.fuel, u.jurisdiction, u.customer_class, a.journal_segment,
           u.last_billed_to, lower(u.unbilled), upper(u.unbilled) - 1, bua.count_days(u.unbilled),
           case when a.next_bill_date > r.as_at or a.next_bill_date is null and a.close_date is null then 'NOT_DUE'
                when r.as_at - a.next_bill_date > (select bua.parameter('grace_days')) then 'OVERDUE'
                else 'DUE' end,
           case u.fuel when 'GAS' then 'MJ' else 'KWH' end,
           l.units_actual, l.units_estimated, l.units_actual + l.units_estimated, l.net_amount, l.gst_amount, l.discount_amount,
           case when x.account_id is not null then 'NONE'
                when l.is_estimated then coalesce(s.method, 'DELIVERED_ESTIMATE') else 'ACTUAL' end,
           case when l.is_estimated then round(s.scalar, 12) end,
           concat_ws(';',
               case when l.is_estimated and s.is_capped then 'CAPPED' end,
               case when k.account_id is not null then 'CATCH_UP' end,
               case when h.account_id is not null then 'CLASS_BY_HOURS' end,
               case when u.is_after_estimated_bill then 'ESTIMATED_BILL' end,
               case when a.close_date <= r.accrual_date then 'FINAL' end,
               case when l.is_estimated and s.is_giant then 'GIANT' end,
               case when u.has_hole then 'HOLE' end,
               case when exists (select from bua.implausible_read i where (i.run_date, i.account_id) = (p_run_date, u.account_id))
                    then 'IMPLAUSIBLE_READ' end,
               case when c.uncovered_days > 0 then 'INCOMPLETE' end,
               case when exists (
                   select from core.invoice i where i.account_id = u.account_id and i.origin = 'PLATFORM' and not i.is_reversed
                   and i.issued_date > r.as_at and u.unbilled && daterange(i.from_date, i.to_date, '[]')) then 'ISSUED_LATE' end,
               case when u.last_billed_to is null then 'NEVER_BILLED' end,
               case when lower(u.unbilled) < u.recoverable_from then 'NOT_RECOVERABLE' end,
               case when l.is_unpriced then 'NO_PRICE' end,
               case when c.has_unregistered then 'NO_REGISTER' end,
               case when exists (
                   select from unnest(u.unbilled) w
                   where upper(w) - lower(w) > a.billing_days + (select bua.parameter('grace_days'))) then 'OVER_CYCLE' end,
               case when exists (select from bua.read_difference d
                                 where (d.run_date, d.account_id) = (p_run_date, u.account_id)) then 'READS_DIFFER' end,
               case when exists (select from bua.account_sites(array[u.account_id]) t where t.contested && u.unbilled)
                    then 'SHARED_SITE' end,
               case when x.account_id is not null then 'SUPPLY_ONLY' end,
               case when u.is_unbilled_before_period then 'UNBILLED_BEFORE_PERIOD' end,
               case when l.is_estimated and s.is_vacant then 'VACANT' end,
               case when l.is_estimated and s.scalar = 0 and s.daily_base = 0 and s.degree_slope = 0 and not s.is_vacant then 'ZERO_USE' end),
           a.plan_code, a.billing_days, a.next_bill_date, a.close_date, l.net_estimated,
           round(l.net_amount * coalesce(bua.count_days(u.unbilled * datemultirange(daterange(u.recoverable_from, null))), 0)
                 / bua.count_days(u.unbilled), 2),
           k.units, k.net_amount, case when x.account_id is null then c.estimated_days end, d.read_type, t.node, d.last_read_date,
           case when l.is_estimated then s.reference_from end, case when l.is_estimated then s.reference_to end,
           case when l.is_estimated then round(s.daily_base, 12) end, case when l.is_estimated then round(s.degree_slope, 12) end
    from unbilled u
    join bua.run r on r.run_date = p_run_date
    join core.account a on a.account_id = u.account_id
    join line l on l.account_id = u.account_id
    left join covered c on c.account_id = u.account_id
    left join by_hours h on h.account_id = u.account_id
    left join exception x on x.account_id = u.account_id
    left join leading_scalar s on s.account_id = u.account_id
    left join last_read d on d.account_id = u.account_id
    left join catch_up k on k.account_id = u.account_id
    left join core.site t on t.site_id = u.site_id;

    v_excepted := array(
        select account_id from bua.account_exception where run_date = p_run_date and account_id = any (p_account_ids));
    v_items := array(
        select unnest(p_account_ids) except
        select account_id from bua.account_summary where run_date = p_run_date and account_id = any (p_account_ids) except
        select unnest(v_excepted));
    call bua.skip_work_items(p_run_date, 'PrepareExport', v_items, 'Billed to the accrual date');
    call bua.skip_work_items(p_run_date, 'PrepareExport', v_excepted, 'Units cannot be worked out: see the exceptions');
end $$;
