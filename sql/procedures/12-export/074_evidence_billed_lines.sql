-- Purpose: the lines of the platform's invoices with a day in the period that were issued by AS_AT and are not reversed.
-- quantity is days, kWh or MJ; days those of the line, or of its invoice where the line does not say.
-- Inputs: run_date, accounts. Reads only.
create or replace function bua.evidence_billed_lines(p_run_date date, p_account_ids text[])
returns table (invoice_id text, account_id text, from_date date, to_date date, issued_date date, is_estimated boolean,
               item_type text, stream_type text, time_class text, quantity numeric, net_amount numeric, days integer,
               invoice_line_item_id bigint)
language sql stable as $$
    select i.invoice_id, i.account_id, i.from_date, i.to_date, i.issued_date, i.is_estimated, l.item_type, l.stream_type,
           l.time_class, l.quantity, l.net_amount, coalesce(l.days, i.to_date - i.from_date + 1), l.invoice_line_item_id
    from bua.run r
    join core.invoice i on i.account_id = any (p_account_ids) and i.origin = 'PLATFORM' and not i.is_reversed
        and i.issued_date <= r.as_at and i.from_date < r.period_end and i.to_date >= r.period_start
    join core.invoice_line_item l using (invoice_id)
    where r.run_date = p_run_date
$$;
