-- Purpose: the known corrections of estimated bills: what was used on the days that accounts' latest estimated bills cover, less
-- what these billed, in units (kWh or MJ, without export to the grid) and net dollars, both signed. The next bill will have it.
-- Nothing of it is in the accrual, which counts unbilled days alone. No row for an account of which no correction is known.
-- The bills are the valid estimated ones after the account's last one on reads. A bill's correction is known when
--   - the bill says how many units it billed, on days that no other valid bill covers;
--   - there is a register of every stream that it billed;
--   - of every stream that the account had on its days, every day has been read: a basic register's lies between two actual reads
--     and has its share of the usage between them by the macro profile, as in the accrual (bua.basic_days); an interval
--     register's is in the snapshot, complete, without an estimate, and believed.
-- A bill has units, but not by day: of a bill that is known in part nobody can say what its known days were billed.
-- Units are priced by the plan and price of their day, blocks filled by the bill's days, the expected discount off. The billed
-- units of a time class are those of its prices in proportion to what was used at each. A difference is rounded once: per bill,
-- price, block and time class.
-- Inputs: run_date, accounts. Reads only. Its plan is made once a session.
create or replace function bua.catch_ups(p_run_date date, p_account_ids text[])
returns table (account_id text, units numeric, net_amount numeric)
language plpgsql stable rows 100 set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query with valid as materialized (
        select i.invoice_id, i.account_id, i.to_date, i.is_estimated, daterange(i.from_date, i.to_date, '[]') as days
        from bua.run r
        join core.invoice i on i.origin = 'PLATFORM' and not i.is_reversed and i.issued_date <= r.as_at
        where r.run_date = p_run_date and i.account_id = any (p_account_ids)
    ),
    bill as materialized (
        select b.invoice_id, b.account_id, b.days, a.jurisdiction, a.plan_code
        from valid b join core.account a using (account_id)
        where b.is_estimated
          and not exists (
              select from valid v
              where v.account_id = b.account_id and v.invoice_id <> b.invoice_id
                and (v.days && b.days or v.to_date > b.to_date and not v.is_estimated))
          and exists (select from core.invoice_line_item l where l.invoice_id = b.invoice_id and l.stream_type is not null)
    ),
    stream as materialized (
        select b.invoice_id, s.meter_register_id, s.register_ids, s.stream_type, s.read_type, s.profile_key, s.occupied,
               s.jurisdiction, s.days * datemultirange(b.days) as days
        from bua.account_streams(p_account_ids) s
        join bill b using (account_id)
        where s.days && b.days
    ),
    basic as materialized (
        select s.*, row_number() over () as place from stream s where s.read_type = 'BASIC'
    ),
    span as materialized (
        select s.*, x.from_date, x.to_date, x.quantity, x.macro
        from (select array_agg(meter_register_id order by place) as ids, array_agg(occupied order by place) as occupied,
                     array_agg(profile_key order by place) as keys from basic) l
        cross join lateral bua.actual_spans(p_run_date, l.ids, l.occupied, l.keys) x
        join basic s on s.place = x.stream
        where daterange(x.from_date, x.to_date) && s.days
    ),
    read as (   -- the days that are known; an index has no time class yet
        select x.invoice_id, x.meter_register_id, d::date as local_date, null as time_class,
               case when x.macro > 0 then x.quantity * m.daily_total / x.macro else x.quantity / (x.to_date - x.from_date) end as quantity
        from span x
        cross join generate_series(greatest(x.from_date, lower(x.days))::timestamp,
                                   least(x.to_date, upper(x.days)) - interval '1 day', interval '1 day') d
        left join bua.macro_profile m on (m.run_date, m.profile_key, m.profile_date) = (p_run_date, x.profile_key, d::date)
        where x.days @> d::date
        union all
        select a.invoice_id, a.meter_register_id, a.from_date, a.time_class, a.quantity
        from (
            select s.invoice_id, s.meter_register_id, s.register_ids, s.jurisdiction, a.from_date, a.time_class, a.quantity,
                   bool_and(a.read_state = 'ACTUAL') over (partition by s.invoice_id, s.meter_register_id, a.from_date) as is_actual
            from stream s
            join core.aggregated_read a
                on a.meter_register_id = any (s.register_ids) and a.origin = 'PLATFORM' and s.days @> a.from_date
                and a.from_date >= lower(s.days) and a.from_date < upper(s.days)
            where s.read_type = 'INTERVAL'
        ) a
        where a.is_actual and not exists (
            select from bua.market_day d
            left join bua.utility_profile u
                on u.run_date = p_run_date and u.meter_register_id = any (a.register_ids) and u.profile_date = d.profile_date
            left join bua.implausible_read i
                on i.run_date = p_run_date and i.meter_register_id = any (a.register_ids) and i.read_date = d.profile_date
            where d.jurisdiction = a.jurisdiction and d.local_date = a.from_date
              and (u.missing_mask & d.half_hour_mask <> 0 or i.read_date is not null))
    ),
    known as materialized (
        select b.*
        from bill b
        where not exists (
                  select from stream s
                  where s.invoice_id = b.invoice_id and bua.count_days(s.days) > (
                      select count(distinct r.local_date) from read r
                      where (r.invoice_id, r.meter_register_id) = (s.invoice_id, s.meter_register_id)))
          and not exists (
                  select from core.invoice_line_item l
                  where l.invoice_id = b.invoice_id and l.stream_type is not null
                    and not exists (select from stream s where (s.invoice_id, s.stream_type) = (l.invoice_id, l.stream_type)))
    ),
    bill_day as materialized (
        select b.invoice_id, d::date as local_date, b.jurisdiction, p.plan_code
        from known b
        cross join lateral bua.plan_spans(b.account_id, b.plan_code) p
        cross join lateral generate_series(lower(b.days * p.days)::timestamp, upper(b.days * p.days) - interval '1 day',
                                           interval '1 day') d
        where b.days && p.days
    ),
    price as materialized (
        select * from bua.plan_prices(array(select distinct plan_code from bill_day))
    ),
    price_day as (   -- on how many of the bill's days each price is valid
        select d.invoice_id, p.plan_code, p.stream_type, p.time_class, p.valid_from, count(*) as days
        from bill_day d join price p on p.plan_code = d.plan_code and d.local_date between p.valid_from and p.valid_to
        where p.begins_at = 0
        group by 1, 2, 3, 4, 5
    ),
    used as materialized (   -- what was used, by the time class that is priced
        select r.invoice_id, s.stream_type, d.plan_code, p.time_class, p.valid_from, sum(r.quantity * coalesce(c.share, 1)) as quantity
        from read r
        join bill_day d using (invoice_id, local_date)
        join stream s using (invoice_id, meter_register_id)
        left join lateral bua.class_shares(d.plan_code, s.stream_type, d.jurisdiction, d.local_date) c on r.time_class is null
        left join lateral (
            select p.time_class, p.valid_from from price p
            where p.plan_code = d.plan_code and p.stream_type = s.stream_type and d.local_date between p.valid_from and p.valid_to
              and p.time_class in (coalesce(c.time_class, r.time_class), 'ANYTIME')
            order by p.time_class = 'ANYTIME' limit 1
        ) p on true
        group by 1, 2, 3, 4, 5
    ),
    billed as materialized (
        select b.invoice_id, b.account_id, l.stream_type, l.time_class, sum(l.quantity) as quantity
        from known b join core.invoice_line_item l using (invoice_id)
        where l.stream_type is not null
        group by 1, 2, 3, 4
    ),
    pool as (
        select d.*, round(coalesce(u.quantity, 0), 6) as used
        from price_day d left join used u using (invoice_id, stream_type, plan_code, time_class, valid_from)
    ),
    of_pool as (   -- a class without a price is priced as ANYTIME, and if the plan has no such price either, as all of them
        select p.invoice_id, p.stream_type, p.plan_code, p.time_class, p.valid_from,
               sum(b.quantity * case when t.used > 0 then p.used / t.used else p.days::numeric / t.days end) as billed
        from billed b
        cross join lateral (
            select case when bool_or(p.time_class = b.time_class) then b.time_class
                        when bool_or(p.time_class = 'ANYTIME') then 'ANYTIME' end as time_class
            from pool p where (p.invoice_id, p.stream_type) = (b.invoice_id, b.stream_type)
        ) c
        cross join lateral (
            select sum(p.used) as used, sum(p.days) as days from pool p
            where (p.invoice_id, p.stream_type) = (b.invoice_id, b.stream_type) and p.time_class = coalesce(c.time_class, p.time_class)
        ) t
        join pool p on (p.invoice_id, p.stream_type) = (b.invoice_id, b.stream_type) and p.time_class = coalesce(c.time_class, p.time_class)
        group by 1, 2, 3, 4, 5
    ),
    net as (
        select p.invoice_id, sum(round(v.net_rate * (
                   bua.in_block(p.used, v.begins_at * p.days, v.ends_at * p.days)
                   - bua.in_block(round(coalesce(b.billed, 0), 6), v.begins_at * p.days, v.ends_at * p.days)), 2)) as amount
        from pool p
        left join of_pool b using (invoice_id, stream_type, plan_code, time_class, valid_from)
        join price v using (plan_code, stream_type, time_class, valid_from)
        group by 1
    )
    select b.account_id,
           round(sum(coalesce((select sum(u.quantity) from used u where u.invoice_id = b.invoice_id and u.stream_type <> 'SOLAR'), 0)
                     - coalesce((select sum(q.quantity) from billed q where q.invoice_id = b.invoice_id and q.stream_type <> 'SOLAR'), 0)), 3),
           sum(coalesce(n.amount, 0))
    from known b left join net n using (invoice_id)
    group by b.account_id;
end $$;

-- The prices of plans, a row for each block: the first and last day of its validity (a later price ends an earlier one), the
-- units a bill day at which it begins and ends, and dollars a unit, less the discount times its propensity; below zero for
-- what is fed in. Supply has none.
create or replace function bua.plan_prices(p_plan_codes text[])
returns table (plan_code text, stream_type text, time_class text, valid_from date, valid_to date, begins_at numeric,
               ends_at numeric, net_rate numeric)
language sql stable as $$
    with validity as (
        select i.plan_code, i.item_type, i.time_class, i.valid_from,
               least(max(coalesce(i.valid_to, 'infinity')), lead(i.valid_from) over later - 1) as valid_to
        from core.plan_item i
        where i.plan_code = any (p_plan_codes) and i.item_type <> 'DAILY'
        group by i.plan_code, i.item_type, i.time_class, i.valid_from
        window later as (partition by i.plan_code, i.item_type, i.time_class order by i.valid_from)
    ),
    block as (
        select i.*, v.valid_to as price_to, sum(coalesce(i.block_limit_per_day, 'infinity')) over up_to_here as ends_at
        from validity v join core.plan_item i using (plan_code, item_type, time_class, valid_from)
        window up_to_here as (partition by plan_code, item_type, time_class, valid_from order by i.block_number)
    )
    select b.plan_code, case b.item_type when 'USAGE' then 'PRIMARY' when 'CONTROL' then 'CONTROL' else 'SOLAR' end,
           b.time_class, b.valid_from, b.price_to, coalesce(lag(b.ends_at) over price, 0), b.ends_at,
           b.rate * (1 - b.discount_percent * 0.01 * b.discount_propensity) * case b.item_type when 'FEED_IN' then -1 else 1 end
    from block b
    window price as (partition by b.plan_code, b.item_type, b.time_class, b.valid_from order by b.block_number)
$$;

-- The part of a quantity that lies between the two ends of a block.
create or replace function bua.in_block(p_quantity numeric, p_begins numeric, p_ends numeric) returns numeric
language sql immutable as $$ select greatest(least(p_quantity, p_ends) - p_begins, 0) $$;
