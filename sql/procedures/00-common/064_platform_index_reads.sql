-- Purpose: the platform's own reads of basic registers that are known at the end of the period.
-- Inputs: run_date; registers; the days on which the account had them. Reads only.
create or replace function bua.platform_index_reads(p_run_date date, p_register_ids bigint[], p_occupied datemultirange)
returns table (meter_register_id bigint, read_date date, index_value numeric, quantity_factor numeric, quality text)
language sql stable as $$
    select r.meter_register_id, r.read_date, r.index_value, r.quantity_factor, r.quality
    from core.meter_read r, bua.run x
    where x.run_date = p_run_date and r.origin = 'PLATFORM' and r.meter_register_id = any (p_register_ids)
      and r.read_date <= x.period_end
      and exists (select from unnest(p_occupied) o where r.read_date between lower(o) and upper(o))
$$;
