-- Purpose: take interval reads that are not believed out of the platform's billable quantities. The platform's rows stay as
-- they are: a row of this run with the negative quantity stands beside each of them, on the same local day, in the same
-- time class and state. The estimate that replaces the read came with the meter data files. A platform's row that has not
-- as much as the read was made without it, and is left alone.
-- Input: run_date. Tables written: core.aggregated_read (origin BUA, this run), kWh.
-- Safe to rerun: first removes the run's earlier corrections.
create or replace procedure bua.correct_platform_reads(p_run_date date)
language sql as $$
    call bua.remove_read_corrections(p_run_date);

    insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity, origin, run_date)
    with half_hour as (
        select r.meter_register_id, r.account_id, j.jurisdiction, v.kwh,
               case substr(r.qualities, v.n::integer, 1) when 'E' then 'ESTIMATED' else 'ACTUAL' end as read_state,
               (r.read_date + (v.h - 1) * interval '30 minutes' - j.market_offset) at time zone 'UTC' at time zone j.time_zone as at
        from bua.implausible_read r
        join core.site s using (site_id)
        join core.jurisdiction j using (jurisdiction)
        cross join unnest(r.half_hours, r.kwh) with ordinality as v (h, kwh, n)
        where r.run_date = p_run_date
    ),
    classed as (
        select h.*, h.at::date as local_date, w.time_class
        from half_hour h
        join core.account a using (account_id)
        left join lateral (
            select w.time_class from core.time_class_window w
            where w.plan_code = a.plan_code
              and w.days in ('ALL', case bua.day_type(h.jurisdiction, h.at::date) when 'WEEKDAY' then 'WEEKDAY' else 'WEEKEND' end)
              and extract(hour from h.at) * 60 + extract(minute from h.at) >= w.start_minute
              and extract(hour from h.at) * 60 + extract(minute from h.at) < w.end_minute
            order by w.days = 'ALL', w.time_class limit 1
        ) w on true
    ),
    contained as (   -- the class of the plan's window, or ANYTIME where the plan has no price for it
        select c.meter_register_id, c.local_date, p.time_class, c.read_state, p.quantity, sum(c.kwh) as kwh
        from classed c
        cross join lateral (
            select r.time_class, sum(r.quantity) as quantity from core.aggregated_read r
            where r.meter_register_id = c.meter_register_id and r.from_date = c.local_date and r.origin = 'PLATFORM'
              and r.read_state = c.read_state and r.time_class in (c.time_class, 'ANYTIME')
            group by 1 order by r.time_class = 'ANYTIME' limit 1
        ) p
        group by 1, 2, 3, 4, 5
    )
    -- A read too large for its decimals was rounded: within a kWh it is the same.
    select meter_register_id, local_date, local_date, time_class, read_state, -least(kwh, quantity), 'BUA', p_run_date
    from contained where quantity > kwh - 1
$$;
