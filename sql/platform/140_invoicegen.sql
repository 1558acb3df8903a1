-- Purpose: INVOICEGEN: total and issue the invoices of a batch.
-- Inputs: the payload of core.unbilled_windows; the lines that RUN_INVOICE_BATCH wrote.
-- Tables written: core.invoice: net_amount and gst_amount in dollars (sums of the rounded lines), issued_date = run_date.
-- Safe to rerun: writes the same values.
create or replace procedure core.invoicegen(p_payload jsonb)
language plpgsql as $$
declare
    v_run_date date := (p_payload ->> 'run_date')::date;
begin
    update core.invoice i
    set issued_date = v_run_date,
        net_amount = coalesce(total.net_amount, 0),
        gst_amount = coalesce(total.gst_amount, 0)
    from (select distinct account_id from core.unbilled_windows(p_payload)) w
    cross join lateral (
        select sum(l.net_amount) as net_amount, sum(l.gst_amount) as gst_amount
        from core.invoice_line_item l
        where l.invoice_id = format('BUA-%s-%s', v_run_date, w.account_id)
    ) total
    where i.invoice_id = format('BUA-%s-%s', v_run_date, w.account_id);
end $$;
