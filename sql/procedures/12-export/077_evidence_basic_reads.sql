-- Purpose: the index reads of basic registers that the estimates may rest on, and those that the run made. Of the platform's,
-- as far as they are believed: the latest six, which bound five spans, and those back to the scalar's reference and season.
-- Inputs: run_date, accounts. Reads only.
create or replace function bua.evidence_basic_reads(p_run_date date, p_account_ids text[])
returns table (account_id text, meter_serial text, register_id text, read_date date, index_value numeric,
               quantity_factor numeric, quality text, origin text)
language sql stable as $$
    with stream as materialized (
        select s.account_id, s.meter_register_id, s.occupied, m.meter_serial, m.register_id,
               least(c.reference_from, c.season_from) as used_from
        from bua.account_streams(p_account_ids) s
        join core.meter_register m using (meter_register_id)
        left join bua.micro_scalar c
            on (c.run_date, c.account_id, c.meter_register_id) = (p_run_date, s.account_id, s.meter_register_id)
        where s.read_type = 'BASIC'
    )
    select s.account_id, s.meter_serial, s.register_id, r.read_date, r.index_value, r.quantity_factor, r.quality, r.origin
    from stream s
    cross join lateral (
        select i.read_date, i.index_value, i.quantity_factor, i.quality, 'PLATFORM' as origin,
               row_number() over (order by i.read_date desc) as position
        from bua.platform_index_reads(p_run_date, array[s.meter_register_id], array[s.occupied]) i
        where not exists (
            select from bua.implausible_read n
            where (n.run_date, n.account_id, n.meter_register_id, n.read_date)
                  = (p_run_date, s.account_id, i.meter_register_id, i.read_date) and n.reason <> 'NEW_INDEX')
        union all
        select b.read_date, b.index_value, b.quantity_factor, b.quality, 'BUA', 1
        from core.meter_read b
        where b.meter_register_id = s.meter_register_id and b.origin = 'BUA' and b.run_date = p_run_date
          and exists (select from unnest(s.occupied) o where b.read_date between lower(o) and upper(o))
    ) r
    where r.position <= 6 or r.read_date >= s.used_from
$$;
