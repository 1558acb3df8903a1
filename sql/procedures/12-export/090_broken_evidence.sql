-- Purpose: what of the evidence files does not agree with the run, in the form of bua.broken_identities: a file that was not
-- written, spans that do not cover the period, and account-days that are not the lines. Input: run_date. Reads only.
create or replace function bua.broken_evidence(p_run_date date)
returns table (identity text, cases bigint, example text)
language sql stable as $$
    with file as materialized (
        select f.*, f.name || '/' || to_char(f.part, 'FM0000') as item_key from bua.evidence_file f where f.run_date = p_run_date
    )
    select 'every evidence file is there', count(*), min(coalesce(l.item_key, f.item_key))
    from bua.list_export_evidence(p_run_date) l full join file f using (item_key)
    where l.item_key is null or f.item_key is null
    having count(*) > 0
    union all
    select 'the spans are the days of the period', abs(s.days - a.days), s.days || ' days, not ' || a.days
    from (select coalesce(sum((f.sums ->> 'days')::bigint), 0) as days from file f where f.name = 'account_spans') s
    cross join (
        select count(*) * max(r.period_end - r.period_start) as days
        from bua.bua_list_all_accounts(p_run_date) l cross join bua.run r where r.run_date = p_run_date
    ) a
    where s.days <> coalesce(a.days, 0)
    union all
    select 'the account-days are the lines', count(*), min(l.what)
    from (
        select v.what, coalesce(sum(v.value), 0) as value
        from bua.invoice_line_item_monthly m
        cross join lateral (values ('quantity', m.quantity), ('net_amount', m.net_amount), ('gst_amount', m.gst_amount),
                                   ('discount_net', m.discount_net), ('discount_net_propensity', m.discount_net_propensity)) v (what, value)
        where m.run_date = p_run_date group by 1
    ) l
    full join (
        select s.key as what, sum(s.value::numeric) as value
        from file f cross join lateral jsonb_each_text(f.sums) s where f.name = 'account_days' group by 1
    ) d using (what)
    where coalesce(l.value, 0) <> coalesce(d.value, 0)
    having count(*) > 0
$$;
