-- Purpose: GENERATE_ILI: work out what a batch of accounts is to be invoiced for.
-- Supply counts on every unbilled day. Units count on unbilled days alone, for the account that occupies the site on the
-- day, at the price that the account's plan of the day has on it (ANYTIME where it has none for the class). The day of a change
-- of meters is the new register's. Units without a price keep their row, with price_from null. A plan without any DAILY price
-- charges no supply.
-- Reads of interval registers are the platform's and this run's, on their local bill day. Reads of basic registers are
-- this run's alone, each within one month, one plan, one price and one window (bua_create_basic_read splits them so).
-- Inputs: the payload of core.unbilled_windows. Tables written: core.billable_quantity, in days, kWh or MJ;
-- core.workflow_instance (RUN_INVOICE_BATCH with the same payload).
-- Safe to rerun: replaces the batch's rows of the run.
create or replace procedure core.generate_ili(p_payload jsonb)
language plpgsql set jit = off as $$
declare
    v_run_date date := (p_payload ->> 'run_date')::date;
    v_accounts text[] := array(select distinct account_id from core.unbilled_windows(p_payload));
    v_unknown  text;
begin
    select string_agg(account_id, ', ' order by account_id) into v_unknown
    from unnest(v_accounts) w (account_id)
    where not exists (select from core.account a where a.account_id = w.account_id);
    if v_unknown is not null then
        raise exception 'there is no account %', v_unknown;
    end if;

    delete from core.billable_quantity
    where run_date = v_run_date and account_id = any (v_accounts);

    insert into core.billable_quantity
    select v_run_date, w.account_id, 'DAILY', null, 'ANYTIME', 'ACTUAL', price.valid_from,
           to_char(day, 'YYYY-MM'), count(*), count(*), p.plan_code
    from core.unbilled_windows(p_payload) w
    cross join generate_series(w.from_date, w.to_date, interval '1 day') day
    join core.account_plans(v_accounts) p on p.account_id = w.account_id and day between p.from_date and p.to_date
    left join core.price_validity price
        on price.plan_code = p.plan_code and price.item_type = 'DAILY' and price.time_class = 'ANYTIME'
        and day between price.valid_from and price.valid_to
    where exists (select from core.plan_item i where i.plan_code = p.plan_code and i.item_type = 'DAILY')
    group by w.account_id, p.plan_code, price.valid_from, to_char(day, 'YYYY-MM');

    insert into core.billable_quantity
    with plan as materialized (
        select * from core.account_plans(v_accounts)
    ),
    price as materialized (
        select p.* from core.price_validity p where p.plan_code in (select plan_code from plan)
    ),
    stay as (   -- days that two rows of core.account_site have in common count once
        select o.account_id, o.site_id, unnest(range_agg(daterange(o.from_date, coalesce(o.to_date, 'infinity'), '[]'))) as days
        from core.account_site o
        where o.account_id = any (v_accounts)
        group by o.account_id, o.site_id
    ),
    metered as materialized (   -- the days on which each register counts for each account
        select w.account_id, core.priced_item(r.stream_type) as item_type, r.stream_type, r.read_type,
               r.meter_register_id, daterange(w.from_date, w.to_date, '[]') * s.days as days,
               core.handed_over(r) as handed_over
        from core.unbilled_windows(p_payload) w
        join stay s on s.account_id = w.account_id and s.days && daterange(w.from_date, w.to_date, '[]')
        join core.meter_register r using (site_id)
    ),
    unit as (
        select m.account_id, p.plan_code, m.item_type, m.stream_type,
               read.time_class, read.read_state, read.from_date, read.to_date, read.quantity
        from metered m
        cross join lateral (    -- register by register: never the reads of all accounts, however few these are
            select * from core.aggregated_read read
            where read.meter_register_id = m.meter_register_id
              and read.from_date between lower(m.days) and upper(m.days) - 1 and read.from_date is distinct from m.handed_over
            offset 0
        ) read
        join plan p on p.account_id = m.account_id and read.from_date between p.from_date and p.to_date
        where (m.read_type = 'INTERVAL' and read.origin = 'PLATFORM')
           or (read.origin = 'BUA' and read.run_date = v_run_date)
    ),
    priced as (
        select unit.account_id, unit.plan_code, unit.item_type, unit.stream_type, unit.read_state, unit.quantity,
               unit.from_date, unit.to_date, to_char(unit.from_date, 'YYYY-MM') as year_month,
               coalesce(own.time_class, anytime.time_class, unit.time_class) as time_class,
               coalesce(own.valid_from, anytime.valid_from) as price_from
        from unit
        left join price own
            on own.plan_code = unit.plan_code and own.item_type = unit.item_type
            and own.time_class = unit.time_class and unit.from_date between own.valid_from and own.valid_to
        left join price anytime
            on anytime.plan_code = unit.plan_code and anytime.item_type = unit.item_type
            and anytime.time_class = 'ANYTIME' and unit.from_date between anytime.valid_from and anytime.valid_to
    )
    select v_run_date, account_id, item_type, stream_type, time_class, read_state, price_from, year_month,
           sum(quantity),
           (select sum(upper(span) - lower(span)) from unnest(range_agg(daterange(from_date, to_date, '[]'))) span),
           plan_code
    from priced
    group by account_id, plan_code, item_type, stream_type, time_class, read_state, price_from, year_month;

    call core.raise_workflow('RUN_INVOICE_BATCH', v_run_date, p_payload);
end $$;
