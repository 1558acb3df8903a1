-- Purpose: the exported lines by day. A line's month is spread over the days whose units it prices, in proportion to the
-- units of the day (supply: by days; a line without units: by the days that were read). Amounts and quantities are rounded
-- cumulatively, so that no day is off by a cent and the days of a month add up exactly to its row of
-- InvoiceLineItemMonthly.csv. The blocks of a price share its days in proportion. A line without a price takes the days
-- without one, and those of a price whose last block has a limit.
-- Inputs: run_date, accounts. Reads only. Everything is joined once, by hash: see bua.broken_identities.
create or replace function bua.evidence_account_days(p_run_date date, p_account_ids text[])
returns table (account_id text, local_date date, line_no integer, item_type text, stream_type text, time_class text,
               line_state text, quantity numeric, net_amount numeric, gst_amount numeric, discount_net numeric,
               discount_net_propensity numeric, rate numeric, plan_item_id bigint, method text)
language sql stable set enable_nestloop = off set enable_mergejoin = off as $$
    with day as materialized (
        select u.account_id, d::date as local_date, p.plan_code
        from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
        cross join lateral bua.plan_spans(u.account_id, u.plan_code) p
        cross join lateral unnest(u.unbilled * datemultirange(p.days)) w
        cross join lateral generate_series(lower(w)::timestamp, upper(w) - interval '1 day', interval '1 day') d
    ),
    price as materialized (   -- a later price ends an earlier one
        select i.plan_code, i.item_type, i.time_class, i.valid_from,
               least(max(coalesce(i.valid_to, 'infinity')), lead(i.valid_from) over later - 1) as valid_to,
               bool_and(i.block_limit_per_day is not null) as is_limited
        from core.plan_item i
        where i.plan_code in (select d.plan_code from day d)
        group by i.plan_code, i.item_type, i.time_class, i.valid_from
        window later as (partition by i.plan_code, i.item_type, i.time_class order by i.valid_from)
    ),
    read as materialized (
        select * from bua.account_day_units(p_run_date, p_account_ids)
    ),
    share as materialized (   -- an index has no time of day
        select b.*, c.time_class, c.share
        from (
            select distinct r.plan_code, r.stream_type, r.jurisdiction, r.local_date
            from read r
            where r.time_class is null and not exists (   -- which the shares would find out day by day
                select from price p
                where p.plan_code = r.plan_code and p.item_type = bua.usage_item(r.stream_type) and p.time_class = 'ANYTIME'
                  and r.local_date between p.valid_from and p.valid_to)
        ) b
        cross join lateral bua.class_shares(b.plan_code, b.stream_type, b.jurisdiction, b.local_date) c
    ),
    unit as (
        select r.account_id, r.local_date, r.plan_code,
               bua.usage_item(r.stream_type) as item_type,
               coalesce(r.time_class, s.time_class, 'ANYTIME') as time_class, r.read_state, r.quantity * coalesce(s.share, 1) as quantity
        from read r
        left join share s on r.time_class is null
            and (s.plan_code, s.stream_type, s.jurisdiction, s.local_date) = (r.plan_code, r.stream_type, r.jurisdiction, r.local_date)
        union all
        select d.account_id, d.local_date, d.plan_code, 'DAILY', 'ANYTIME', 'ACTUAL', 1
        from day d
        where d.plan_code in (select p.plan_code from price p where p.item_type = 'DAILY')
    ),
    priced as materialized (   -- as priced: ANYTIME where the plan has no price for the read's own class
        select u.account_id, u.local_date, date_trunc('month', u.local_date::timestamp) as month, u.item_type, u.read_state, u.quantity,
               coalesce(own.time_class, anytime.time_class, u.time_class) as time_class,
               case when coalesce(own.valid_from, anytime.valid_from) is not null then u.plan_code end as plan_code,
               coalesce(own.valid_from, anytime.valid_from) as price_from,
               coalesce(own.is_limited, anytime.is_limited, true) as is_limited
        from unit u
        left join price own
            on (own.plan_code, own.item_type, own.time_class) = (u.plan_code, u.item_type, u.time_class)
            and u.local_date between own.valid_from and own.valid_to
        left join price anytime
            on (anytime.plan_code, anytime.item_type, anytime.time_class) = (u.plan_code, u.item_type, 'ANYTIME')
            and u.local_date between anytime.valid_from and anytime.valid_to
    ),
    line as materialized (   -- a month of a line has a number: it is sorted by faster than by what it stands for
        select m.*, row_number() over () as month_no, to_date(m.year_month, 'YYYY-MM')::timestamp as month, i.plan_code,
               i.valid_from as price_from,
               case m.line_state when 'ESTIMATED' then a.method end as method
        from bua.invoice_line_item_monthly m
        left join core.plan_item i using (plan_item_id)
        left join bua.account_summary a on a.run_date = p_run_date and a.account_id = m.account_id
        where m.run_date = p_run_date and m.account_id = any (p_account_ids)
    ),
    -- From here to the end a row has three columns: what its line says is looked up when it has been sorted and added up.
    line_unit as (
        select l.month_no, p.local_date, p.quantity
        from line l join priced p using (account_id, month, item_type, time_class, plan_code, price_from)
        where p.read_state = l.line_state
        union all
        select l.month_no, p.local_date, p.quantity
        from line l join priced p using (account_id, month, item_type, time_class)
        where p.read_state = l.line_state and p.is_limited and l.plan_item_id is null
    ),
    line_day as (
        select u.month_no, u.local_date, sum(u.quantity) as units, sum(u.quantity) = 0 and min(u.quantity) < 0 as is_reversed
        from line_unit u
        group by u.month_no, u.local_date
    ),
    running as (   -- part: of the month, up to the end of the day
        select d.month_no, d.local_date, d.is_reversed and sum(d.units) over month <> 0 as is_gone,
               case when sum(d.units) over month = 0 then (count(*) over to_date)::numeric / count(*) over month
                    else sum(d.units) over to_date / sum(d.units) over month end as part
        from line_day d
        window month as (partition by d.month_no), to_date as (month order by d.local_date)
        offset 0   -- here and below: or it would be worked out again wherever it is used
    ),
    part as (   -- before: up to the end of the day before; a day on which all was reversed moves it no further
        select r.*, lag(r.part, 1, 0::numeric) over (partition by r.month_no order by r.local_date) as before
        from running r
        offset 0
    )
    select l.account_id, p.local_date, l.line_no, l.item_type, l.stream_type, l.time_class, l.line_state,
           round(l.quantity * p.part, 6) - round(l.quantity * p.before, 6),
           round(l.net_amount * p.part, 2) - round(l.net_amount * p.before, 2),
           round(l.gst_amount * p.part, 2) - round(l.gst_amount * p.before, 2),
           round(l.discount_net * p.part, 2) - round(l.discount_net * p.before, 2),
           round(l.discount_net_propensity * p.part, 2) - round(l.discount_net_propensity * p.before, 2),
           l.rate, l.plan_item_id, l.method
    from part p join line l using (month_no)
    where not p.is_gone   -- a day on which all of it was reversed
$$;
