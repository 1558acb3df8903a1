-- A portfolio of synthetic rows, as the platform would have them: half the accounts have interval meters, a quarter basic
-- ones, a quarter gas. Parameters: accounts, the last day TO, the first market day of the interval reads.
-- Reads before it: pg_temp.usage (pattern, half_hour, wh) and pg_temp.factor (profile_date, factor): a register of a
-- pattern uses wh x factor watt-hours in a half-hour of a day.

create temporary table customer on commit drop as
select *, billed_to + 1 - 91 * 9 as open_date from (
select n, kind, customer_class, jurisdiction,
       case kind when 'GAS' then 'GAS' else 'ELECTRICITY' end as fuel,
       'A' || lpad(n::text, 8, '0') as account_id,
       case kind when 'GAS' then '5' else '4' end || lpad(n::text, 9, '0') as site_id,
       'P' || k %% 20 as plan_code, k %% 20 < 10 as has_windows,
       'Z' || k %% 10 as node,
       -- bills are spread over the quarter; one account in fifty has been closed since
       %(to)s::date - (k * 37 %% 91)::integer - case when k %% 50 = 7 then 40 else 0 end as billed_to,
       case when k %% 50 = 7 then %(to)s::date - 31 end as close_date,
       k
from (
    select n, n / 4 as k, (array['INTERVAL', 'INTERVAL', 'BASIC', 'GAS'])[1 + n %% 4] as kind,
           case when n / 4 %% 10 = 9 then 'BUS' else 'RES' end as customer_class,
           case when n %% 4 = 3 then (array['VIC', 'VIC', 'VIC', 'NSW', 'SA'])[1 + n / 20 %% 5]
                else (array['NSW', 'NSW', 'VIC', 'QLD', 'SA'])[1 + n / 20 %% 5] end as jurisdiction
    from generate_series(0, %(accounts)s - 1) n
) numbered
) billed;
analyze customer;

insert into core.plan select 'P' || g from generate_series(0, 19) g;
insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from)
select 'P' || g, t, 'ANYTIME', r, d::date
from generate_series(0, 19) g,
     (values ('DAILY', 1.00, '2020-01-01'), ('DAILY', 1.10, '2026-07-01'), ('USAGE', 0.30, '2020-01-01'), ('USAGE', 0.33, '2026-07-01'),
             ('CONTROL', 0.15, '2020-01-01'), ('FEED_IN', 0.05, '2020-01-01')) v (t, r, d);
insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from)
select 'P' || g, 'USAGE', 'PEAK', 0.5, date '2020-01-01' from generate_series(0, 9) g;
insert into core.time_class_window select 'P' || g, 'PEAK', 'WEEKDAY', 900, 1260 from generate_series(0, 9) g;
insert into core.public_holiday
select j, d from unnest(array['NSW', 'VIC', 'QLD', 'SA']) j,
     unnest(array['2025-01-01', '2025-12-25', '2025-12-26', '2026-01-01', '2026-01-26', '2026-04-03', '2026-04-06', '2026-12-25']::date[]) d;

insert into core.site select site_id, fuel, jurisdiction, node from customer;
insert into core.account
select account_id, fuel, customer_class, jurisdiction, 'MASS', plan_code, open_date, close_date, 91, billed_to + 96 from customer;
insert into core.account_site select account_id, site_id, open_date, close_date from customer;
insert into core.meter select site_id, 'M1' from customer;
insert into core.meter_register (site_id, meter_serial, register_id, suffix, stream_type, read_type, uom, digits, start_date)
select site_id, 'M1', suffix, suffix, stream_type, read_type, uom, digits, '2020-01-01'
from customer
join (values ('INTERVAL', 'E1', 'PRIMARY', 'INTERVAL', 'KWH', null::smallint, 1), ('INTERVAL', 'B1', 'SOLAR', 'INTERVAL', 'KWH', null, 5),
             ('BASIC', '11', 'PRIMARY', 'BASIC', 'KWH', 5, 1), ('BASIC', '41', 'CONTROL', 'BASIC', 'KWH', 5, 10),
             ('GAS', '01', 'PRIMARY', 'BASIC', 'MJ', 5, 1)
     ) v (kind, suffix, stream_type, read_type, uom, digits, every) on v.kind = customer.kind and k %% every = 0
order by n;

-- Nine quarterly bills an account, from its first day on, one in seven of them estimated.
insert into core.invoice (invoice_id, account_id, from_date, to_date, issued_date, is_estimated, net_amount)
select 'I' || n || '-' || q, account_id, billed_to - 91 * q - 90, billed_to - 91 * q, least(billed_to - 91 * q + 5, %(to)s::date),
       (k + q) %% 7 = 0, 360
from customer, generate_series(0, 8) q;
insert into core.invoice_line_item (invoice_id, item_type, stream_type, time_class, quantity, net_amount)
select i.invoice_id, v.item_type, v.stream_type, 'ANYTIME', v.quantity, v.amount
from core.invoice i, (values ('DAILY', null, 91, 91.0), ('USAGE', 'PRIMARY', 900, 269.0)) v (item_type, stream_type, quantity, amount);

-- Basic meters are read when an account begins and after each bill; an estimated bill has an estimated read.
insert into core.meter_read (meter_register_id, read_date, index_value, quantity_factor, quality)
select r.meter_register_id, c.billed_to + 1 - 91 * q, 40000 + (600 + c.k %% 600) * (9 - q), case c.kind when 'GAS' then 38.5 else 1 end,
       case when (c.k + q) %% 7 = 0 then 'E' else 'A' end
from customer c join core.meter_register r on r.site_id = c.site_id and r.read_type = 'BASIC', generate_series(0, 9) q;
insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity)
select meter_register_id, from_date, read_date - 1, 'ANYTIME', 'ACTUAL', units
from (
    select meter_register_id, read_date, lag(read_date) over w as from_date,
           (index_value - lag(index_value) over w) * quantity_factor as units
    from core.meter_read where quality = 'A' window w as (partition by meter_register_id order by read_date)
) span where from_date is not null;

insert into core.gas_volume
select j, 'Z' || z, d, 1000000 + 100000 * cos(extract(doy from d) / 58.1)::numeric(6, 3)
from unnest(array['NSW', 'VIC', 'SA']) j, generate_series(0, 9) z, generate_series((select profile_start from bua.run), %(to)s::date, interval '1 day') d;

-- Interval registers: reads of three in ten are two days late, and one in fifty has had none for three weeks.
create temporary table interval_register on commit preserve rows as
select r.meter_register_id, r.site_id, r.suffix, r.stream_type, c.jurisdiction,
       (r.meter_register_id %% 12)::integer as pattern,
       case when c.k %% 2 = 0 then 30 else 5 end as minutes,
       least(c.close_date, %(to)s::date - case when c.k %% 50 = 13 then 21 when c.k %% 10 < 3 then 2 else 0 end) as last_day,
       case when r.stream_type = 'PRIMARY' and c.has_windows then c.plan_code end as windows_of
from customer c join core.meter_register r on r.site_id = c.site_id and r.read_type = 'INTERVAL';
update interval_register set windows_of = 'P0' where windows_of is not null;  -- their windows are the same
analyze interval_register;

-- What the platform bills of these reads: worked out once for all registers that share everything that matters.
insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity)
with kind as (
    select distinct pattern, jurisdiction, last_day, windows_of from interval_register
),
slot as materialized (
    select j.jurisdiction, f.profile_date, f.factor, h.half_hour, h.local_day, h.day_kind, h.local_minute
    from (select distinct jurisdiction from kind) j cross join factor f
    cross join lateral core.local_half_hours(j.jurisdiction, f.profile_date) h
),
billable as materialized (
    select k.pattern, k.jurisdiction, k.last_day, k.windows_of, s.local_day, coalesce(w.time_class, 'ANYTIME') as time_class,
           case when s.half_hour between 10 and 14 and (s.profile_date - date '2000-01-01' + k.pattern) %% 20 = 0
                then 'ESTIMATED' else 'ACTUAL' end as read_state,
           sum(u.wh * s.factor) / 1000::numeric as quantity
    from kind k
    join slot s on s.jurisdiction = k.jurisdiction and s.profile_date <= k.last_day
    join usage u on u.pattern = k.pattern and u.half_hour = s.half_hour
    left join core.plan_half_hour_class w
        on w.plan_code = k.windows_of and w.day_kind = s.day_kind and w.local_minute = s.local_minute
    group by 1, 2, 3, 4, 5, 6, 7
)
select r.meter_register_id, b.local_day, b.local_day, b.time_class, b.read_state, b.quantity
from interval_register r
join billable b on (b.pattern, b.jurisdiction, b.last_day) = (r.pattern, r.jurisdiction, r.last_day)
    and b.windows_of is not distinct from r.windows_of
where b.local_day <= %(to)s::date;
