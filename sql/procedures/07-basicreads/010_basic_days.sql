-- Purpose: the kWh or MJ of every unbilled day of a basic register.
-- A day between two actual reads has its share of the usage between them, in proportion to the macro profile (evenly where
-- the profile does not cover the span); the share of billed days is left out. A later day has its share of a delivered
-- estimate. Otherwise it is daily base + scalar x macro profile + degree slope x degree-days, or the account's daily mean where it follows no profile.
-- plan_code is the account's plan of the day. Days of one price_epoch have the same prices, and days that nobody read or estimated
-- the same reads before them when they have one read_epoch, which others lack.
-- Inputs: run_date, accounts. Reads only.
create or replace function bua.basic_days(p_run_date date, p_account_ids text[])
returns table (account_id text, meter_register_id bigint, stream_type text, jurisdiction text, plan_code text, local_date date,
               read_state text, price_epoch integer, read_epoch integer, quantity numeric)
language sql stable as $$
    with stream as materialized (
        select u.account_id, u.plan_code, u.unbilled, s.meter_register_id, s.stream_type, s.jurisdiction, s.occupied, s.days,
               s.profile_key
        from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
        join bua.account_streams(p_account_ids) s on s.account_id = u.account_id and s.read_type = 'BASIC'
        where u.unbilled && s.days
    ),
    scaled as materialized (
        select s.*, c.scalar, c.daily_base, c.degree_slope, c.daily_mean, c.macro_units / c.reference_days as mean_macro,
               row_number() over () as stream
        from stream s
        left join bua.micro_scalar c
            on (c.run_date, c.account_id, c.meter_register_id) = (p_run_date, s.account_id, s.meter_register_id)
    ),
    span as materialized (
        select s.stream, x.from_date, x.to_date, x.quantity, x.read_state, m.macro
        from (select array_agg(meter_register_id order by stream) as ids, array_agg(occupied order by stream) as occupied from scaled) l
        cross join lateral bua.read_spans(p_run_date, l.ids, l.occupied) x
        join scaled s using (stream)
        cross join lateral bua.macro_sum(p_run_date, s.profile_key, x.from_date, x.to_date) m
        where daterange(x.from_date, x.to_date) && s.unbilled
    ),
    of_stream as materialized (     -- register by register: the days of a batch and all its spans would grow with its square
        select stream, array_agg(span) as spans from span group by 1
    ),
    planned as materialized (   -- plan by plan, not day by day
        select s.*, o.spans, p.plan_code as plan_of_days, s.unbilled * s.days * datemultirange(p.days) as planned_days,
               (select array_agg(e order by e)      -- on which a price begins, or is no longer valid
                from core.plan_item i cross join lateral unnest(array[i.valid_from, i.valid_to + 1]) e
                where i.plan_code = p.plan_code and e is not null) as price_dates,
               (select array_agg(r.read_date order by r.read_date)
                from core.meter_read r where r.meter_register_id = s.meter_register_id and r.origin = 'PLATFORM') as read_dates
        from scaled s
        left join of_stream o using (stream)
        cross join lateral bua.plan_spans(s.account_id, s.plan_code) p
        where s.unbilled * s.days && p.days
    ),
    day as (
        select s.account_id, s.plan_of_days, s.meter_register_id, s.stream_type, s.jurisdiction, s.profile_key, s.scalar,
               s.daily_base, s.degree_slope, s.daily_mean, s.mean_macro, d.local_date, x.from_date, x.to_date, x.quantity,
               coalesce(x.read_state, 'ESTIMATED') as read_state, x.macro,
               coalesce(width_bucket(d.local_date, s.price_dates), 0) as price_epoch,
               coalesce(width_bucket(d.local_date, s.read_dates), 0) as read_epoch
        from planned s
        cross join lateral unnest(s.planned_days) w
        cross join lateral (select lower(w) + n as local_date from generate_series(0, upper(w) - lower(w) - 1) n) d
        left join lateral unnest(s.spans) as x (stream bigint, from_date date, to_date date, quantity numeric, read_state text, macro numeric)
            on d.local_date >= x.from_date and d.local_date < x.to_date
    )
    select d.account_id, d.meter_register_id, d.stream_type, d.jurisdiction, d.plan_of_days, d.local_date, d.read_state, d.price_epoch,
           case d.read_state when 'ESTIMATED' then d.read_epoch end,
           round(case when d.from_date is null
                      then coalesce(d.daily_base + d.scalar * coalesce(m.daily_total, d.mean_macro)
                                    + d.degree_slope * coalesce(m.degree_days, 0), d.daily_mean)
                      when d.macro > 0 then d.quantity * m.daily_total / d.macro
                      else d.quantity / (d.to_date - d.from_date) end, 6)
    from day d
    left join lateral (     -- day by day: the planner would read everybody's profile
        select m.daily_total, m.degree_days from bua.macro_profile m
        where (m.run_date, m.profile_key, m.profile_date) = (p_run_date, d.profile_key, d.local_date)
        offset 0
    ) m on true
$$;
