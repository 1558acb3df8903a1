-- Purpose: what was used between the reads of basic registers, in kWh or MJ.
-- A read of day D is taken at the start of D, so a span covers the days from from_date to the day before to_date.
-- An ACTUAL span lies between two consecutive actual reads; estimates between them are ignored. After the last actual
-- read, the estimates that were delivered make ESTIMATED spans. Reads that are not believed (implausible_index_reads) are
-- passed over. An index that went down has rolled over at its digits. Where the index begins anew there is no span.
-- Inputs: run_date; registers; the days on which the account had them. Reads only.
create or replace function bua.read_spans(p_run_date date, p_register_ids bigint[], p_occupied datemultirange)
returns table (meter_register_id bigint, from_date date, to_date date, quantity numeric, read_state text)
language sql stable as $$
    with doubtful as materialized (
        select * from bua.implausible_index_reads(p_run_date, p_register_ids, p_occupied)
    ),
    believed as (
        select r.*, max(r.read_date) filter (where r.quality = 'A') over (partition by r.meter_register_id) as last_actual
        from bua.platform_index_reads(p_run_date, p_register_ids, p_occupied) r
        where not exists (select from doubtful d where (d.meter_register_id, d.read_date) = (r.meter_register_id, r.read_date)
                          and d.reason <> 'NEW_INDEX')
    ),
    span as (
        select r.*, lead(r.read_date) over w as next_date, lead(r.index_value) over w as next_index,
               lead(r.quantity_factor) over w as next_factor,
               lead(r.quality) over w as next_quality
        from believed r
        where r.quality = 'A' or r.last_actual is null or r.read_date > r.last_actual
        window w as (partition by r.meter_register_id order by r.read_date)
    )
    select s.meter_register_id, s.read_date, s.next_date, bua.index_step(s.index_value, s.next_index, m.digits) * s.next_factor,
           case when s.quality = 'A' and s.next_quality = 'A' then 'ACTUAL' else 'ESTIMATED' end
    from span s join core.meter_register m using (meter_register_id)
    where daterange(s.read_date, s.next_date) <@ p_occupied
      and not exists (select from doubtful d where (d.meter_register_id, d.read_date) = (s.meter_register_id, s.next_date)
                      and d.reason = 'NEW_INDEX')
$$;
