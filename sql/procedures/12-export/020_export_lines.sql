-- Purpose: the run's invoice lines by calendar month. A line was rounded once, when it was priced. Its months share it by
-- quantity (by days for supply), and the last month takes the remainder, so that the months add up to the line. Quantities
-- (kWh, MJ or days) are rounded cumulatively over the lines of one account, kind and state, so that they add up to the
-- rounded sum. Inputs: run_date, accounts. Reads only. Its plan is made once a session.
create or replace function bua.export_lines(p_run_date date, p_account_ids text[])
returns table (account_id text, line_no integer, year_month text, item_type text, stream_type text, time_class text,
               quantity numeric, days integer, rate numeric, net_amount numeric, gst_amount numeric,
               discount_net numeric, discount_net_propensity numeric, line_state text, plan_item_id bigint)
language plpgsql stable rows 500 set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query with line as (
        select i.account_id, l.*,
               (row_number() over (partition by i.account_id order by l.item_type, l.stream_type, l.time_class, l.plan_item_id,
                                   l.line_state, l.invoice_line_item_id))::integer as line_no,
               sum(l.quantity) over w as running
        from core.invoice i
        join core.invoice_line_item l using (invoice_id)
        where i.origin = 'BUA' and i.run_date = p_run_date and i.account_id = any (p_account_ids)
        window w as (partition by i.account_id, coalesce(l.stream_type = 'SOLAR', false), l.item_type = 'DAILY', l.line_state
                     order by l.item_type, l.stream_type, l.time_class, l.plan_item_id, l.invoice_line_item_id)
    ),
    month as (
        select l.*, m.year_month as ym, m.days as month_days,
               round(l.running, 3) - round(l.running - l.quantity, 3) as line_quantity,
               m.quantity as month_quantity,
               m.year_month = max(m.year_month) over (partition by m.invoice_line_item_id) as is_last
        from line l join core.invoice_line_item_month m using (invoice_line_item_id)
    ),
    share as (
        select m.*, case when m.quantity = 0 then 0 else m.month_quantity / m.quantity end as part from month m
    ),
    rounded as (
        select s.*, round(s.line_quantity * s.part, 3) as q, round(s.net_amount * s.part, 2) as net,
               round(s.gst_amount * s.part, 2) as gst, round(s.discount_net * s.part, 2) as discount,
               round(s.discount_net_propensity * s.part, 2) as discount_taken
        from share s
    )
    select account_id, line_no, ym, item_type, stream_type, time_class,
           case when is_last then line_quantity - sum(q) over o + q else q end,
           month_days, rate,
           case when is_last then net_amount - sum(net) over o + net else net end,
           case when is_last then gst_amount - sum(gst) over o + gst else gst end,
           case when is_last then discount_net - sum(discount) over o + discount else discount end,
           case when is_last then discount_net_propensity - sum(discount_taken) over o + discount_taken else discount_taken end,
           line_state, plan_item_id
    from rounded
    window o as (partition by account_id, line_no);
end $$;
