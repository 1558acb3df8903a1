-- Which days of accounts have been read, stream by stream, without export to the grid, and how much was used on them.
-- needed: the streams of the accounts, and the days that count for them. known_day: of a basic meter the days between two
-- actual reads, with their share of the usage by the macro profile, as in the accrual; of an interval meter the days that
-- have anything, and which share of their half-hours is not an estimate. What is not believed counts as not read.
-- Parameters: run_date.
create temporary table needed as
select account_id, jurisdiction, meter_register_id, register_ids, stream_type, read_type, profile_key, occupied, days
from bua.account_streams(array(select account_id from core.account order by 1)) where stream_type <> 'SOLAR';

create temporary table known_day as
select n.account_id, n.meter_register_id, n.stream_type, d::date as local_date, 1::numeric as share,
       case when x.macro > 0 then x.quantity * m.daily_total / x.macro else x.quantity / (x.to_date - x.from_date) end as units
from needed n
cross join lateral (
    select r.*
    from bua.actual_spans(%(run_date)s, array[n.meter_register_id], array[n.occupied], array[n.profile_key]) r
) x
cross join lateral generate_series(x.from_date::timestamp, x.to_date - interval '1 day', interval '1 day') d
left join bua.macro_profile m on (m.run_date, m.profile_key, m.profile_date) = (%(run_date)s, n.profile_key, d::date)
where n.read_type = 'BASIC' and n.days @> d::date
union all
select n.account_id, n.meter_register_id, n.stream_type, k.local_date,
       sum(bit_count((~u.excluded_mask & k.half_hour_mask)::bit(48)))
           / (select sum(bit_count(c.half_hour_mask::bit(48))) from bua.market_day c
              where (c.jurisdiction, c.local_date) = (n.jurisdiction, k.local_date)),
       sum(case when k.half_hour_mask = (1::bigint << 48) - 1 then u.day_total / 1e6
                else (select coalesce(sum(v), 0) / 10::numeric ^ u.scale from unnest(u.half_hours) with ordinality h (v, i)
                      where k.half_hour_mask >> (i::integer - 1) & 1 = 1) end)
from needed n
join bua.utility_profile u on u.run_date = %(run_date)s and u.meter_register_id = any (n.register_ids)
join bua.market_day k on k.jurisdiction = n.jurisdiction and k.profile_date = u.profile_date and n.days @> k.local_date
where n.read_type = 'INTERVAL'
group by n.account_id, n.meter_register_id, n.stream_type, n.jurisdiction, k.local_date;
create index on known_day (account_id, stream_type, local_date);
analyze known_day;
