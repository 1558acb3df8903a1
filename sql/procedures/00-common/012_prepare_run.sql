-- Purpose: register a run, and create its partitions and the calendar of market days that it needs.
-- The period is what was chosen, or the twelve months up to the first of run_date's month, as at its last day. Gas profiles
-- begin a year before the period. Interval reads are much more, and are used of the last profile_days only, or from a reference before
-- the period if that is earlier.
-- Inputs: run_date; FROM, TO and AS_AT. Tables written: bua.run, bua.market_day. Safe to rerun: creates only what is absent,
-- and refuses another period, since everything that the run has made is of the first one.
create or replace procedure bua.prepare_run(p_run_date date, p_from date default null, p_to date default null,
                                            p_as_at date default null)
language plpgsql as $$
declare
    v_table   text;
    v_to      date := coalesce(p_to, date_trunc('month', p_run_date)::date - 1);
    v_from    date := coalesce(p_from, (v_to + 1 - interval '12 months')::date);
    v_as_at   date := coalesce(p_as_at, v_to);
    v_profile date := (v_from - interval '12 months')::date;
begin
    insert into bua.run (run_date, period_start, period_end, accrual_date, as_at, profile_start, reads_start)
    values (p_run_date, v_from, v_to + 1, v_to, v_as_at, v_profile,
            greatest(v_profile, least(v_to + 1 - bua.parameter('profile_days')::integer,
                                      v_from - bua.parameter('scalar_reference_days')::integer)))
    on conflict do nothing;
    if (v_from, v_to, v_as_at) <> (select period_start, accrual_date, as_at from bua.run where run_date = p_run_date) then
        raise exception 'the run of % has another period in this database: restore it anew', p_run_date;
    end if;

    for v_table in
        select c.relname from pg_catalog.pg_partitioned_table p
        join pg_catalog.pg_class c on c.oid = p.partrelid
        where c.relnamespace = 'bua'::regnamespace and not c.relispartition order by 1
    loop
        -- The copy of the interval reads can be made again, and is half of what a run writes: it is not in the write-ahead log.
        execute format('create %s table if not exists bua.%I partition of bua.%I for values in (%L) %s',
                       case v_table when 'utility_profile' then 'unlogged' else '' end,
                       bua.partition_name(v_table, p_run_date), v_table, p_run_date,
                       case v_table when 'bua_control' then 'partition by list (run_type)' else '' end);
    end loop;
    call bua.create_market_days(v_profile - 1, v_to + 2);
end $$;

-- Purpose: fill the calendar for the market days from p_from to p_to. A half-hour belongs to the local day in which it
-- starts; time zones and their clock changes come from the tz database.
create or replace procedure bua.create_market_days(p_from date, p_to date)
language sql as $$
    insert into bua.market_day (jurisdiction, profile_date, local_date, half_hour_mask)
    select j.jurisdiction, d.profile_date::date,
           ((d.profile_date + (h - 1) * interval '30 minutes' - j.market_offset) at time zone 'UTC' at time zone j.time_zone)::date,
           bit_or(1::bigint << (h - 1))
    from core.jurisdiction j
    cross join generate_series(p_from::timestamp, p_to::timestamp, interval '1 day') as d (profile_date)
    cross join generate_series(1, 48) as h
    group by 1, 2, 3
    on conflict do nothing
$$;
