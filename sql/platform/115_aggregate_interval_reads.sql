-- Purpose: turn staged interval reads into billable quantities: sum market half-hours by local bill day and time class.
-- Each half-hour falls on its local day. The plan that the occupant of the site has on that day gives the time class: that of
-- the plan's window, if the plan has a price for it on that day, and otherwise ANYTIME. Known half-hours
-- are ACTUAL, estimated ones ESTIMATED; missing ones are left out. A local day without an occupant, or outside the
-- stream's life (but for what a run generated: its stream may go on), makes no row; nor does a suffix without a register.
-- Inputs: pg_temp.interval_day; the origin of the rows: PLATFORM for the platform's own reads (run date null), or BUA and the
-- run whose files were loaded. A file repeats known half-hours beside the estimated ones: before a run is invoiced, it
-- removes its rows of what the platform's rows bill already.
-- Tables written: core.aggregated_read, in exact kWh, one row per register, local day, time class and state.
-- Safe to rerun: replaces the streams' rows of the same origin and run. A load must therefore carry all the days of its
-- streams, never some of them: a local day is made of two market days.
create or replace procedure core.aggregate_interval_reads(p_origin text, p_run_date date)
language plpgsql set jit = off as $$
begin
    analyze pg_temp.interval_day;

    -- Temporary tables, not one statement: the planner has to know how many rows each step makes.
    -- The registers that each staged stream (a site's suffix) went through, and the market days whose reads are
    -- theirs. A local day begins or ends beside its market day: when nobody occupies the site on the market day
    -- before the register's first day, or after its last, that day's reads are the register's too.
    create temporary table stream_register on commit drop as
    select r.meter_register_id, r.site_id, r.suffix, core.priced_item(r.stream_type) as item_type, s.jurisdiction,
           r.start_date, r.end_date,
           r.start_date - (not core.is_occupied(r.site_id, r.start_date - 1))::integer as reads_from,
           r.end_date + (not core.is_occupied(r.site_id, r.end_date + 1))::integer as reads_to,
           min(r.start_date) over stream as stream_from, max(coalesce(r.end_date, 'infinity')) over stream as stream_to
    from (select distinct site_id, suffix from pg_temp.interval_day) d
    join core.meter_register r using (site_id, suffix)
    join core.site s using (site_id)
    where r.read_type = 'INTERVAL'
    window stream as (partition by r.site_id, r.suffix);
    analyze pg_temp.stream_register;

    delete from core.aggregated_read a
    using pg_temp.stream_register r
    where a.meter_register_id = r.meter_register_id and a.origin = p_origin
      and a.run_date is not distinct from p_run_date;

    -- The one or two local days of each market day. Days whose half-hours fall on the clock in the same way share a
    -- pattern (there are about ten), so that the plans' classes are looked up once per pattern and not once per day.
    create temporary table local_part on commit drop as
    select jurisdiction, profile_date, local_day, day_kind, half_hours, local_minutes,
           dense_rank() over (order by day_kind, half_hours, local_minutes) as pattern
    from (
        select d.jurisdiction, d.profile_date, h.local_day, h.day_kind,
               array_agg(h.half_hour order by h.half_hour) as half_hours,
               array_agg(h.local_minute order by h.half_hour) as local_minutes
        from (
            select distinct s.jurisdiction, d.profile_date
            from pg_temp.interval_day d join core.site s using (site_id)
        ) d
        cross join lateral core.local_half_hours(d.jurisdiction, d.profile_date) h
        group by 1, 2, 3, 4
    ) day;
    analyze pg_temp.local_part;

    create temporary table site_plan on commit drop as
    select * from core.site_plans((select array_agg(distinct site_id) from pg_temp.stream_register));
    analyze pg_temp.site_plan;

    -- Whose plan is valid for which part of a staged day. The register is the one of the day; what a run estimated for
    -- a day without a register goes to the latest.
    create temporary table occupied on commit drop as
    select d.site_id, d.suffix, d.profile_date, d.meter_register_id, d.item_type,
           part.local_day, part.pattern, o.plan_code
    from (
        select distinct on (i.site_id, i.suffix, i.profile_date) i.profile_date, r.*
        from pg_temp.interval_day i
        join pg_temp.stream_register r using (site_id, suffix)
        where i.profile_date between r.reads_from and coalesce(r.reads_to, 'infinity') or p_origin = 'BUA'
        order by i.site_id, i.suffix, i.profile_date,
                 i.profile_date between r.start_date and coalesce(r.end_date, 'infinity') desc,
                 r.start_date desc
    ) d
    join pg_temp.local_part part
        on part.jurisdiction = d.jurisdiction and part.profile_date = d.profile_date
        and (p_origin = 'BUA' or part.local_day between d.stream_from and d.stream_to)
    join pg_temp.site_plan o on o.site_id = d.site_id and part.local_day between o.from_date and o.to_date;
    analyze pg_temp.occupied;

    -- The half-hours of a pattern that a plan's windows put into one class; null = in no window.
    create temporary table slot on commit drop as
    select p.plan_code, p.pattern, w.time_class, array_agg(clock.half_hour) as half_hours
    from (select distinct plan_code, pattern from pg_temp.occupied) p
    join (
        select distinct on (pattern) pattern, day_kind, half_hours, local_minutes from pg_temp.local_part
    ) part using (pattern)
    cross join lateral unnest(part.half_hours, part.local_minutes) clock (half_hour, local_minute)
    left join core.plan_half_hour_class w using (plan_code, day_kind, local_minute)
    group by p.plan_code, p.pattern, w.time_class;
    analyze pg_temp.slot;

    insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity, origin, run_date)
    select part.meter_register_id, part.local_day, part.local_day, coalesce(priced.time_class, 'ANYTIME'),
           state.read_state, sum(state.quantity * part.unit), p_origin, p_run_date
    from (
        select o.meter_register_id, o.local_day, o.plan_code, o.item_type, slot.time_class,
               trim_scale(power(10::numeric, -d.scale)) as unit, total.known, total.estimated
        from pg_temp.occupied o
        join pg_temp.slot using (plan_code, pattern)
        join pg_temp.interval_day d using (site_id, suffix, profile_date)
        cross join lateral (
            select sum(d.half_hours[h]) filter (where d.all_known or substr(d.qualities, h, 1) in ('A', 'S', 'F')) as known,
                   sum(d.half_hours[h]) filter (where not d.all_known and substr(d.qualities, h, 1) = 'E') as estimated
            from unnest(slot.half_hours) h
        ) total
    ) part
    cross join lateral (values ('ACTUAL', part.known), ('ESTIMATED', part.estimated)) state (read_state, quantity)
    left join core.price_validity priced
        on priced.plan_code = part.plan_code and priced.item_type = part.item_type
        and priced.time_class = part.time_class and part.local_day between priced.valid_from and priced.valid_to
    where state.quantity is not null
    group by part.meter_register_id, part.local_day, coalesce(priced.time_class, 'ANYTIME'), state.read_state;

    drop table pg_temp.interval_day, pg_temp.stream_register, pg_temp.local_part, pg_temp.site_plan, pg_temp.occupied, pg_temp.slot;
end $$;

-- Whether an account occupies the site on the day.
create or replace function core.is_occupied(p_site_id text, p_date date) returns boolean
language sql stable as $$
    select exists (
        select from core.account_site o
        where o.site_id = p_site_id and p_date between o.from_date and coalesce(o.to_date, 'infinity'))
$$;
