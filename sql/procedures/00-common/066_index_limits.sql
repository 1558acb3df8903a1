-- Purpose: how many kWh or MJ a day basic registers may go on by. class_limit is what a day of the account's class can be:
-- of electricity the limit of a day of interval reads, of gas what its meter lets through. day_limit is it, too, for a
-- register without two spans between actual reads; for the others it is implausible_index_factor times the register's own
-- mean day, but at least half of class_limit: a quiet house may be moved into.
-- A register's own mean day is the lower median of its spans, which a single misread does not change.
-- Inputs: run_date; registers, and the days on which the account of each had it (stream is a pair's place). Reads only.
create or replace function bua.index_limits(p_run_date date, p_register_ids bigint[], p_occupied datemultirange[])
returns table (stream bigint, class_limit numeric, day_limit numeric)
language sql stable as $$
    with step as (
        select r.stream, (lead(r.index_value) over w - r.index_value) * lead(r.quantity_factor) over w as units,
               lead(r.read_date) over w - r.read_date as days
        from bua.platform_index_reads(p_run_date, p_register_ids, p_occupied) r
        where r.quality = 'A'
        window w as (partition by r.stream order by r.read_date)
    ),
    own as (
        select s.stream, percentile_disc(0.5) within group (order by s.units / s.days) as mean_day
        from step s where s.units >= 0 group by 1 having count(*) > 1
    ),
    class as (
        select s.stream,
               case when m.uom = 'MJ' and c.is_business then (select bua.parameter('implausible_bus_day_mj'))
                    when m.uom = 'MJ' then (select bua.parameter('implausible_res_day_mj'))
                    else case when c.is_business then (select bua.parameter('implausible_bus_half_hour'))
                              else (select bua.parameter('implausible_res_half_hour')) end
                         * (select bua.parameter('implausible_day_half_hours')) end as day
        from unnest(p_register_ids, p_occupied) with ordinality as s (meter_register_id, occupied, stream)
        join core.meter_register m using (meter_register_id)
        cross join lateral (
            select bool_or(a.customer_class = 'BUS') as is_business
            from core.account_site o join core.account a using (account_id)
            where o.site_id = m.site_id
              and daterange(greatest(o.from_date, a.open_date), least(o.to_date, a.close_date), '[]') && s.occupied
        ) c
    )
    select c.stream, c.day,
           case when o.mean_day is null then c.day
                else greatest((select bua.parameter('implausible_index_factor')) * o.mean_day, c.day / 2) end
    from class c left join own o using (stream)
$$;
