-- Purpose: what was used between the reads of basic registers, in kWh or MJ.
-- A read of day D is taken at the start of D, so a span covers the days from from_date to the day before to_date.
-- An ACTUAL span lies between two consecutive actual reads; estimates between them are ignored. After the last actual
-- read, the estimates that were delivered make ESTIMATED spans. Reads that are not believed (implausible_index_reads) are
-- passed over. An index that went down has rolled over at its digits. Where the index begins anew there is no span.
-- Inputs: run_date; registers, and the days on which the account of each had it (stream is a pair's place). Reads only.
-- Its plan is made once a session: to plan it takes longer than to look at a message's reads.
create or replace function bua.read_spans(p_run_date date, p_register_ids bigint[], p_occupied datemultirange[])
returns table (stream bigint, meter_register_id bigint, from_date date, to_date date, quantity numeric, read_state text)
language plpgsql stable set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query with doubtful as materialized (
        select * from bua.implausible_index_reads(p_run_date, p_register_ids, p_occupied)
    ),
    believed as (
        select r.*, max(r.read_date) filter (where r.quality = 'A') over (partition by r.stream) as last_actual
        from bua.platform_index_reads(p_run_date, p_register_ids, p_occupied) r
        where not exists (select from doubtful d where (d.stream, d.read_date) = (r.stream, r.read_date) and d.reason <> 'NEW_INDEX')
    ),
    span as (
        select r.*, lead(r.read_date) over w as next_date, lead(r.index_value) over w as next_index,
               lead(r.quantity_factor) over w as next_factor,
               lead(r.quality) over w as next_quality
        from believed r
        where r.quality = 'A' or r.last_actual is null or r.read_date > r.last_actual
        window w as (partition by r.stream order by r.read_date)
    )
    select s.stream, s.meter_register_id, s.read_date, s.next_date,
           bua.index_step(s.index_value, s.next_index, m.digits) * s.next_factor,
           case when s.quality = 'A' and s.next_quality = 'A' then 'ACTUAL' else 'ESTIMATED' end
    from span s
    join core.meter_register m using (meter_register_id)
    join unnest(p_occupied) with ordinality as o (occupied, stream) using (stream)
    where daterange(s.read_date, s.next_date) <@ o.occupied
      and not exists (select from doubtful d where (d.stream, d.read_date) = (s.stream, s.next_date) and d.reason = 'NEW_INDEX');
end $$;
