-- Purpose: the platform's own reads of basic registers that are known at the end of the period.
-- Inputs: run_date; registers, and the days on which the account of each had it: stream is a pair's place in both lists, because
-- a register may be there for several accounts. Reads only.
create or replace function bua.platform_index_reads(p_run_date date, p_register_ids bigint[], p_occupied datemultirange[])
returns table (stream bigint, meter_register_id bigint, read_date date, index_value numeric, quantity_factor numeric, quality text)
language sql stable as $$
    select s.stream, r.meter_register_id, r.read_date, r.index_value, r.quantity_factor, r.quality
    from bua.run x
    cross join unnest(p_register_ids, p_occupied) with ordinality as s (meter_register_id, occupied, stream)
    join core.meter_read r on r.meter_register_id = s.meter_register_id and r.origin = 'PLATFORM' and r.read_date <= x.period_end
        and (s.occupied @> r.read_date or s.occupied @> r.read_date - 1)   -- the read at the end of the last day is the account's, too
    where x.run_date = p_run_date
$$;
