-- Purpose: the reads of basic registers that are not believed. A step between two reads can be when it means no more a day
-- than the register's limit (index_limits). A fall can be when the dial has digits, the use that its roll-over implies is
-- less than half of the dial, and near the register's own use like any other step.
-- Of the actual reads the longest row is believed whose steps all can be; of two as long the one of later reads, because
-- a later read corrects an earlier one. Where two reads or more on both sides of an impossible step agree among
-- themselves, the index began anew: both sides are believed, and the step means nothing. Of the estimates after the last
-- believed read, one is believed that follows from the read before it. Without any actual read, estimates are judged as
-- actual ones.
--   INDEX            an actual read that is passed over
--   ESTIMATED_INDEX  a delivered estimate that is passed over
--   NEW_INDEX        the first read of an index that began anew: it is believed, the step to it is not
-- Inputs: run_date; registers, and the days on which the account of each had it (stream is a pair's place). Reads only.
create or replace function bua.implausible_index_reads(p_run_date date, p_register_ids bigint[], p_occupied datemultirange[])
returns table (stream bigint, meter_register_id bigint, read_date date, index_value numeric, limit_value numeric, reason text)
language sql stable as $$
    with step as (
        select r.stream, r.quantity_factor, r.read_date - lag(r.read_date) over w as days,
               r.index_value - lag(r.index_value) over w as units
        from bua.platform_index_reads(p_run_date, p_register_ids, p_occupied) r
        window w as (partition by r.stream order by r.read_date)
    ),
    use as (
        select s.stream, bool_or(s.units < 0) as has_fallen, max(s.units * s.quantity_factor / s.days) as most from step s group by 1
    )
    select l.stream, o.meter_register_id, j.read_date, j.index_value, l.day_limit, j.reason
    from bua.index_limits(p_run_date, p_register_ids, p_occupied) l
    join use u using (stream)
    join unnest(p_register_ids, p_occupied) with ordinality as o (meter_register_id, occupied, stream) using (stream)
    cross join lateral bua.judge_index_reads(p_run_date, o.meter_register_id, o.occupied, l.day_limit) j
    -- Half of the class's limit is the least that a limit can be.
    where u.has_fallen or u.most > l.class_limit / 2
$$;

-- The reads of one register that are not believed.
create or replace function bua.judge_index_reads(p_run_date date, p_register_id bigint, p_occupied datemultirange, p_day_limit numeric)
returns table (read_date date, index_value numeric, reason text)
language plpgsql stable as $$
declare
    v_digits    smallint := (select digits from core.meter_register m where m.meter_register_id = p_register_id);
    v_min_days  constant integer := bua.parameter('scalar_min_days');
    -- Beginning anew costs more than one read that is passed over, and less than two.
    v_new_index constant numeric := 1.5;
    v_reads     record;
    v_score     numeric[] := '{}';      -- reads believed up to this one
    v_before    integer[] := '{}';      -- the believed read before this one; 0 = none
    v_is_new    boolean[] := '{}';
    v_candidate numeric;
    v_can_be    boolean;
    v_last      integer := 0;
    v_state     text[];                 -- null = not believed
    v_is_judged boolean[];
begin
    select array_agg(r.read_date order by r.read_date) as dates, array_agg(r.index_value order by r.read_date) as indices,
           array_agg(r.quantity_factor order by r.read_date) as factors,
           array_agg(r.quality order by r.read_date) as qualities, bool_or(r.quality = 'A') as has_actual
    into v_reads
    from bua.platform_index_reads(p_run_date, array[p_register_id], array[p_occupied]) r;
    v_state := array_fill(null::text, array[cardinality(v_reads.dates)]);

    for j in 1 .. cardinality(v_reads.dates) loop
        v_is_judged[j] := v_reads.qualities[j] = 'A' or not v_reads.has_actual;
        v_score[j] := 1;
        v_before[j] := 0;
        v_is_new[j] := false;
        continue when not v_is_judged[j];
        for i in 1 .. j - 1 loop
            continue when not v_is_judged[i];
            v_can_be := bua.can_step(v_reads.indices[i], v_reads.indices[j], v_reads.factors[j],
                                     greatest(v_reads.dates[j] - v_reads.dates[i], v_min_days), v_digits, p_day_limit);
            v_candidate := v_score[i] + 1 - case when v_can_be then 0 else v_new_index end;
            if v_candidate > v_score[j] or v_candidate = v_score[j] and (v_can_be or v_is_new[j]) then
                v_score[j] := v_candidate;
                v_before[j] := i;
                v_is_new[j] := not v_can_be;
            end if;
        end loop;
        if v_last = 0 or v_score[j] >= v_score[v_last] then
            v_last := j;
        end if;
    end loop;

    for j in v_last + 1 .. cardinality(v_reads.dates) loop   -- estimates that follow from the last believed read
        continue when v_reads.qualities[j] = 'A' or not v_reads.has_actual;
        declare
            v_from integer := coalesce((select max(k) from generate_series(v_last, j - 1) k where k = v_last or v_state[k] = 'E'), v_last);
        begin
            if bua.can_step(v_reads.indices[v_from], v_reads.indices[j], v_reads.factors[j],
                            greatest(v_reads.dates[j] - v_reads.dates[v_from], v_min_days), v_digits, p_day_limit) then
                v_state[j] := 'E';
            end if;
        end;
    end loop;

    for j in 1 .. v_last loop   -- estimates between actual reads are not looked at
        if not v_is_judged[j] then
            v_state[j] := 'IGNORED';
        end if;
    end loop;
    while v_last > 0 loop
        v_state[v_last] := case when v_is_new[v_last] then 'NEW_INDEX' else 'BELIEVED' end;
        v_last := v_before[v_last];
    end loop;

    return query
        select v_reads.dates[j], v_reads.indices[j],
               case when v_state[j] = 'NEW_INDEX' then 'NEW_INDEX'
                    when v_reads.qualities[j] = 'A' then 'INDEX' else 'ESTIMATED_INDEX' end
        from generate_subscripts(v_reads.dates, 1) j
        where v_state[j] is null or v_state[j] = 'NEW_INDEX';
end $$;

-- Whether an index may have gone on from one value to another in so many days.
create or replace function bua.can_step(p_from numeric, p_to numeric, p_factor numeric, p_days integer, p_digits smallint,
                                        p_day_limit numeric) returns boolean
language sql immutable as $$
    select coalesce(s.units * p_factor <= p_day_limit * p_days and (p_to >= p_from or s.units < 10::numeric ^ p_digits / 2), false)
    from (select bua.index_step(p_from, p_to, p_digits) as units) s
$$;
