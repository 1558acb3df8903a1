-- Purpose: INVOICES: the kWh or MJ that valid, non-estimated invoices of the last twelve months billed, over the macro
-- profile of their days. Streams of one type that an account has at the same time share the billed quantity evenly,
-- whether or not they need a scalar. Meters that follow each other do not share.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, rows without a method. Safe to rerun: changes no other row.
create or replace procedure bua.scalars_from_invoices(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    with stream as materialized (
        select *, array_agg(days) over (partition by account_id, stream_type) as together
        from bua.account_streams(p_account_ids)
    ),
    invoice as materialized (
        select s.account_id, s.meter_register_id, s.gap, s.stream_type, s.profile_key, o.days, o.together,
               i.invoice_id, i.from_date, i.to_date
        from bua.micro_scalar s
        join stream o on (o.account_id, o.meter_register_id) = (s.account_id, s.meter_register_id)
        join bua.run r on r.run_date = s.run_date
        join core.invoice i on i.account_id = s.account_id and i.origin = 'PLATFORM' and not i.is_reversed
            and not i.is_estimated and i.issued_date <= r.as_at
            and i.to_date >= (r.period_end - interval '12 months')::date
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.method is null
    ),
    invoiced as materialized (
        select i.account_id, i.meter_register_id, i.gap, min(i.from_date) as from_date, max(i.to_date) as to_date,
               sum(i.to_date - i.from_date + 1) as days,
               sum(q.quantity) / (select count(*) from unnest(i.together) d where d && i.days) as usage, sum(m.macro) as macro
        from invoice i
        cross join lateral (
            select sum(l.quantity) as quantity from core.invoice_line_item l
            where l.invoice_id = i.invoice_id and l.stream_type = i.stream_type
        ) q
        cross join lateral bua.macro_sum(p_run_date, i.profile_key, i.from_date, i.to_date + 1) m
        where m.macro > 0 and q.quantity is not null
        group by i.account_id, i.meter_register_id, i.gap, i.days, i.together
    )
    update bua.micro_scalar s
    set method = 'INVOICES', scalar = v.usage / v.macro, reference_from = v.from_date, reference_to = v.to_date,
        reference_days = v.days, usage_units = v.usage, macro_units = v.macro
    from invoiced v
    where s.run_date = p_run_date and s.account_id = any (p_account_ids)
      and (s.account_id, s.meter_register_id, s.gap) = (v.account_id, v.meter_register_id, v.gap);
end $$;
