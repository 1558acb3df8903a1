-- Purpose: GENERATE_ILI: work out what a batch of accounts is to be invoiced for.
-- Supply counts on every unbilled day. Units count on unbilled days alone, for the account that occupies the site on the
-- day, at the price that is valid on it (ANYTIME where the plan has no price for the class). Units without a price keep
-- their row, with price_from null. A plan without any DAILY price charges no supply.
-- Reads of interval registers are the platform's and this run's, on their local bill day. Reads of basic registers are
-- this run's alone, each within one month, one price and one window (bua_create_basic_read splits them so).
-- Inputs: the payload of core.unbilled_windows. Tables written: core.billable_quantity, in days, kWh or MJ;
-- core.workflow_instance (RUN_INVOICE_BATCH with the same payload).
-- Safe to rerun: replaces the batch's rows of the run.
create or replace procedure core.generate_ili(p_payload jsonb)
language plpgsql set jit = off as $$
declare
    v_run_date date := (p_payload ->> 'run_date')::date;
    v_unknown  text;
begin
    select string_agg(distinct account_id, ', ') into v_unknown
    from core.unbilled_windows(p_payload) w
    where not exists (select from core.account a where a.account_id = w.account_id);
    if v_unknown is not null then
        raise exception 'there is no account %', v_unknown;
    end if;

    delete from core.billable_quantity
    where run_date = v_run_date and account_id in (select account_id from core.unbilled_windows(p_payload));

    insert into core.billable_quantity
    select v_run_date, w.account_id, 'DAILY', null, 'ANYTIME', 'ACTUAL', price.valid_from,
           to_char(day, 'YYYY-MM'), count(*), count(*)
    from core.unbilled_windows(p_payload) w
    join core.account a using (account_id)
    cross join generate_series(w.from_date, w.to_date, interval '1 day') day
    left join core.price_validity price
        on price.plan_code = a.plan_code and price.item_type = 'DAILY' and price.time_class = 'ANYTIME'
        and day between price.valid_from and price.valid_to
    where exists (select from core.plan_item i where i.plan_code = a.plan_code and i.item_type = 'DAILY')
    group by w.account_id, price.valid_from, to_char(day, 'YYYY-MM');

    insert into core.billable_quantity
    with price as materialized (
        select p.*
        from core.price_validity p
        where p.plan_code in (
            select a.plan_code from core.unbilled_windows(p_payload) join core.account a using (account_id))
    ),
    metered as materialized (   -- the days on which each register counts for each account
        select a.account_id, a.plan_code, core.priced_item(r.stream_type) as item_type, r.stream_type, r.read_type,
               r.meter_register_id,
               greatest(w.from_date, o.from_date) as from_date, least(w.to_date, o.to_date) as to_date
        from core.unbilled_windows(p_payload) w
        join core.account a using (account_id)
        join core.account_site o using (account_id)
        join core.meter_register r using (site_id)
    ),
    unit as (
        select m.account_id, m.plan_code, m.item_type, m.stream_type,
               read.time_class, read.read_state, read.from_date, read.to_date, read.quantity
        from metered m
        join core.aggregated_read read
            on read.meter_register_id = m.meter_register_id and read.from_date between m.from_date and m.to_date
        where (m.read_type = 'INTERVAL' and read.origin = 'PLATFORM')
           or (read.origin = 'BUA' and read.run_date = v_run_date)
    ),
    priced as (
        select unit.account_id, unit.item_type, unit.stream_type, unit.read_state, unit.quantity,
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
           (select sum(upper(span) - lower(span)) from unnest(range_agg(daterange(from_date, to_date, '[]'))) span)
    from priced
    group by account_id, item_type, stream_type, time_class, read_state, price_from, year_month;

    call core.raise_workflow('RUN_INVOICE_BATCH', v_run_date, p_payload);
end $$;
