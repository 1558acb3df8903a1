-- Purpose: leave of what the generated meter data files brought exactly what the run bills, so that no day is half of each
-- source. A file has whole market days: what it repeats of days that the snapshot bills is removed. On a day that lacks
-- half-hours only the estimates stay, in kWh. On a day that is billed from the file alone everything stays; what the
-- snapshot has of such a day, not all of it or a read that is not believed, is reversed, by rows of the run with the same
-- quantity below zero. A day with a read that is not believed is reversed even where nothing could be estimated in its place.
-- Input: run_date. Tables written: core.aggregated_read, this run's rows of interval registers.
-- Safe to rerun: removes and makes its own reversals anew; the platform's rows are never changed.
create or replace procedure bua.settle_interval_reads(p_run_date date)
language sql as $$
    call bua.analyze_platform('aggregated_read');
    call bua.analyze_platform('meter_read');
    call bua.remove_repeated_reads(p_run_date);

    insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity, origin, run_date)
    select p.meter_register_id, p.from_date, p.to_date, p.time_class, p.read_state, -p.quantity, 'BUA', p_run_date
    from bua.micro_scalar s
    join core.aggregated_read p
        on p.meter_register_id = any (s.register_ids) and p.origin = 'PLATFORM' and p.quantity > 0
        and p.from_date >= lower(s.whole) and p.from_date < upper(s.whole) and s.whole @> p.from_date
    where s.run_date = p_run_date and s.read_type = 'INTERVAL' and s.gap = 1
      and (exists (select from core.aggregated_read g
                   where g.meter_register_id = any (s.register_ids) and g.from_date = p.from_date
                     and g.origin = 'BUA' and g.run_date = p_run_date)
           or bua.is_implausible_day(p_run_date, p.meter_register_id, p.from_date));
$$;

-- What the files repeat, and the reversals of before. Both sides are rows of the whole run, of which the planner knows
-- nothing yet: row by row they would cost its square.
create or replace procedure bua.remove_repeated_reads(p_run_date date)
language sql set enable_nestloop = off as $$
    with stream as materialized (
        select r as meter_register_id, range_agg(s.unread) as unread, range_agg(s.whole) as whole
        from bua.micro_scalar s cross join unnest(s.register_ids) r
        where s.run_date = p_run_date and s.read_type = 'INTERVAL' and s.gap = 1
        group by r
    )
    delete from core.aggregated_read a
    using core.meter_register m left join stream s on s.meter_register_id = m.meter_register_id
    where a.origin = 'BUA' and a.run_date = p_run_date and m.meter_register_id = a.meter_register_id and m.read_type = 'INTERVAL'
      and (a.quantity < 0
           or not coalesce(s.whole @> a.from_date or a.read_state = 'ESTIMATED' and s.unread @> a.from_date, false));
$$;

-- Whether a read that is not believed lies on the local day.
create or replace function bua.is_implausible_day(p_run_date date, p_register_id bigint, p_date date) returns boolean
language sql stable as $$
    select exists (
        select from bua.implausible_read i
        join core.site t using (site_id)
        left join bua.market_day d
            on (d.jurisdiction, d.profile_date, d.local_date) = (t.jurisdiction, i.read_date, p_date)
        where i.run_date = p_run_date and i.meter_register_id = p_register_id and i.read_date between p_date - 1 and p_date + 1
          and (i.reason = 'SNAPSHOT_DAY' and i.read_date = p_date
               or exists (select from unnest(i.half_hours) h where (d.half_hour_mask >> (h - 1)) & 1 = 1)))
$$;
