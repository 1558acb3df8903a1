-- Purpose: RUN_INVOICE_BATCH: price a batch of accounts, one draft invoice each.
-- A price's units are pooled over its bill days inside the unbilled windows and fill its blocks in order: a block is
-- block_limit_per_day x those days wide, a blank one takes the remainder. ACTUAL and ESTIMATED units, and the months, share
-- every block in proportion to their units. A line is account x plan row x time class x state. Its amounts are exact until
-- each is rounded once, half-up to the cent:
--     gross = quantity x rate, negative for feed-in
--     net   = gross - discount x propensity, ex GST
--     GST   = 10 % of the exact net; none on feed-in
-- Units without a price, or beyond the last block, make a line with rate null and amounts of 0. Export on a plan without any
-- feed-in price is worth nothing: its line has the rate 0.
-- Inputs: the payload of core.unbilled_windows; core.billable_quantity of the run.
-- Tables written: core.invoice (BUA-<run_date>-<account_id>, not issued yet), core.invoice_line_item and its months (exact
-- quantities; proportions without an end have 12 decimals, and the last month takes the remainder);
-- core.workflow_instance (INVOICEGEN with the same payload).
-- Safe to rerun: replaces the accounts' invoices of the run.
create or replace procedure core.run_invoice_batch(p_payload jsonb)
language plpgsql set jit = off as $$
declare
    v_run_date date := (p_payload ->> 'run_date')::date;
    v_prefix   text := format('BUA-%s-', v_run_date);
    v_gst_rate constant numeric := 0.10;
    v_accounts text[] := array(select distinct account_id from core.unbilled_windows(p_payload));
begin
    delete from core.invoice
    where invoice_id in (select v_prefix || account_id from unnest(v_accounts) account_id);

    insert into core.invoice (invoice_id, account_id, from_date, to_date, is_estimated, origin, run_date)
    select v_prefix || w.account_id, w.account_id, min(w.from_date), max(w.to_date),
           exists (select from core.billable_quantity q
                   where q.run_date = v_run_date and q.account_id = w.account_id and q.line_state = 'ESTIMATED'),
           'BUA', v_run_date
    from core.unbilled_windows(p_payload) w
    group by w.account_id;

    -- A temporary table, so that the planner knows how many rows there are to join the lines back to.
    create temporary table line_month on commit drop as
    with billable as (
        select q.*, sum(q.quantity) over price as pool_quantity, sum(q.quantity) over line as state_quantity
        from core.billable_quantity q
        where q.run_date = v_run_date and q.account_id = any (v_accounts)
        window price as (partition by q.account_id, q.plan_code, q.item_type, q.time_class, q.price_from),
               line as (partition by q.account_id, q.plan_code, q.item_type, q.time_class, q.price_from, q.line_state)
    ),
    bill_day as (   -- on how many bill days of the unbilled windows each price of the account's plan is valid
        select w.account_id, p.plan_code, p.item_type, p.time_class, p.valid_from as price_from,
               sum(least(w.to_date, a.to_date, p.valid_to) - greatest(w.from_date, a.from_date, p.valid_from) + 1) as days
        from core.unbilled_windows(p_payload) w
        join core.account_plans(v_accounts) a
            on a.account_id = w.account_id and a.from_date <= w.to_date and a.to_date >= w.from_date
        join core.price_validity p
            on p.plan_code = a.plan_code
            and p.valid_from <= least(w.to_date, a.to_date) and p.valid_to >= greatest(w.from_date, a.from_date)
        group by w.account_id, p.plan_code, p.item_type, p.time_class, p.valid_from
    ),
    filled as (   -- the part of each pool that each block takes; without a price, one part without a plan row takes all
        select b.*, block.plan_item_id, block.discount, block.discount_propensity,
               case when b.item_type = 'FEED_IN' and not exists (
                   select from core.plan_item i where i.plan_code = b.plan_code and i.item_type = 'FEED_IN')
                   then 0 else block.rate end as rate,
               coalesce(block.begins_at, 0) = 0 as is_first_block,
               case when block.price_from is null then b.pool_quantity
                    else greatest(least(b.pool_quantity, block.ends_at * d.days) - block.begins_at * d.days, 0)
               end as block_quantity
        from billable b
        left join core.price_block block using (plan_code, item_type, time_class, price_from)
        left join bill_day d using (account_id, plan_code, item_type, time_class, price_from)
    ),
    line_share as (
        select f.*, case when block_quantity = pool_quantity then state_quantity
                         when state_quantity = pool_quantity then block_quantity
                         else round(block_quantity * state_quantity / pool_quantity, 12)
                    end as line_quantity
        from filled f
        where f.block_quantity > 0 or f.is_first_block
    ),
    month_share as (
        select l.*, case when block_quantity = pool_quantity then quantity
                         when state_quantity = 0 then 0
                         else round(line_quantity * quantity / state_quantity, 12)
                    end as month_quantity,
               row_number() over (line order by year_month desc) = 1 as is_last_month
        from line_share l
        window line as (partition by account_id, plan_code, item_type, time_class, price_from, plan_item_id, line_state)
    )
    select v_prefix || account_id as invoice_id, item_type, stream_type, time_class, line_state, plan_item_id, rate,
           coalesce(discount, 0) as discount, coalesce(discount_propensity, 0) as propensity, year_month, days,
           month_quantity
               + case when is_last_month then line_quantity - sum(month_quantity) over line else 0 end as quantity
    from month_share
    window line as (partition by account_id, plan_code, item_type, time_class, price_from, plan_item_id, line_state);
    analyze pg_temp.line_month;

    insert into core.invoice_line_item (
        invoice_id, item_type, stream_type, time_class, line_state, plan_item_id, rate, quantity, days,
        net_amount, discount_net, discount_net_propensity, gst_amount)
    select invoice_id, item_type, stream_type, time_class, line_state, plan_item_id, rate, quantity, days,
           round(gross * (1 - discount * propensity), 2),
           round(gross * discount, 2),
           round(gross * discount * propensity, 2),
           round(gross * (1 - discount * propensity) * gst_rate, 2)
    from (
        select invoice_id, item_type, stream_type, time_class, line_state, plan_item_id, rate,
               sum(quantity) as quantity, sum(days) as days, discount, propensity,
               coalesce(sum(quantity) * rate, 0) * case when item_type = 'FEED_IN' then -1 else 1 end as gross,
               case when item_type = 'FEED_IN' then 0 else v_gst_rate end as gst_rate
        from pg_temp.line_month
        group by invoice_id, item_type, stream_type, time_class, line_state, plan_item_id, rate, discount, propensity
    ) line
    order by invoice_id, item_type, time_class, line_state, plan_item_id;

    insert into core.invoice_line_item_month (invoice_line_item_id, year_month, quantity, days)
    select l.invoice_line_item_id, m.year_month, sum(m.quantity), sum(m.days)
    from pg_temp.line_month m
    join core.invoice_line_item l
        on (l.invoice_id, l.item_type, l.time_class, l.line_state) = (m.invoice_id, m.item_type, m.time_class, m.line_state)
        and (l.plan_item_id, l.rate) is not distinct from (m.plan_item_id, m.rate)
    group by l.invoice_line_item_id, m.year_month;

    drop table pg_temp.line_month;
    call core.raise_workflow('INVOICEGEN', v_run_date, p_payload);
end $$;
