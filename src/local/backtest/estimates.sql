-- What the run estimated for every account that lacks a read of an unbilled day, and what simpler ways would have: the
-- average of the last bill on the missing days, and the same days 52 weeks before, if all of them had been read. A day that
-- is partly read counts as the part that is missing. Parameters: run_date. Needs known_days.sql.
with missing as materialized (
    select u.account_id, n.stream_type, d::date as local_date, avg(1 - coalesce(k.share, 0)) as part, u.unbilled
    from bua.bua_list_unbilled_accounts(%(run_date)s) u
    join needed n on n.account_id = u.account_id
    cross join unnest(u.unbilled * n.days) r
    cross join generate_series(lower(r)::timestamp, upper(r) - interval '1 day', interval '1 day') d
    left join known_day k on (k.account_id, k.meter_register_id, k.local_date) = (n.account_id, n.meter_register_id, d::date)
    group by 1, 2, 3, 5
    having avg(1 - coalesce(k.share, 0)) > 0
),
bill as (
    select distinct on (i.account_id) i.account_id, l.daily_units
    from bua.run r
    join core.invoice i on i.origin = 'PLATFORM' and not i.is_reversed and i.issued_date <= r.as_at
    cross join lateral (
        select jsonb_object_agg(stream_type, quantity / (i.to_date - i.from_date + 1)) as daily_units
        from (
            select case item_type when 'CONTROL' then 'CONTROL' else 'PRIMARY' end as stream_type, sum(quantity) as quantity
            from core.invoice_line_item l
            where l.invoice_id = i.invoice_id and l.item_type in ('USAGE', 'CONTROL') group by 1
        ) q
    ) l
    where r.run_date = %(run_date)s and l.daily_units is not null
    order by i.account_id, i.to_date desc, i.invoice_id
),
year_before as (
    select m.account_id, m.stream_type, m.local_date,
           case when count(*) > 0 and bool_and(coalesce(k.share, 0) = 1) then sum(k.units) end as units
    from missing m
    join needed n on (n.account_id, n.stream_type) = (m.account_id, m.stream_type) and n.days @> (m.local_date - 364)
    left join known_day k
        on (k.account_id, k.meter_register_id, k.local_date) = (n.account_id, n.meter_register_id, m.local_date - 364)
    group by 1, 2, 3
),
simple as (
    select m.account_id, m.unbilled::text as unbilled,
           sum(m.part * coalesce((b.daily_units ->> m.stream_type)::numeric, 0)) filter (where b.account_id is not null) as last_bill,
           case when bool_and(y.units is not null) then sum(m.part * y.units) end as last_year
    from missing m
    left join bill b using (account_id)
    left join year_before y using (account_id, stream_type, local_date)
    group by 1, 2
)
select s.account_id, a.fuel, concat_ws(' ', a.jurisdiction, a.customer_class), coalesce(e.method, 'NONE'), s.unbilled,
       coalesce(e.units_actual, 0), coalesce(e.units_total, 0), s.last_bill, s.last_year,
       b.units_low_80, b.units_high_80, b.units_low_95, b.units_high_95
from simple s
join core.account a using (account_id)
left join bua.account_summary e on (e.run_date, e.account_id) = (%(run_date)s, s.account_id)
left join bua.account_band b on (b.run_date, b.account_id) = (%(run_date)s, s.account_id)
order by s.account_id;
