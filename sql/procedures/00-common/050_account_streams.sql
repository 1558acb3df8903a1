-- Purpose: the streams that accounts are metered by. A stream of interval data is a site's suffix, whichever meters it
-- went through: it survives a change of meter. A basic register is a stream of its own: index reads of two meters are
-- never mixed. Inputs: the accounts. Reads only.
create or replace function bua.account_streams(p_account_ids text[])
returns table (
    account_id text, site_id text, jurisdiction text, customer_class text,
    meter_register_id bigint,           -- the latest of register_ids; it stands for the stream
    register_ids bigint[], suffix text, stream_type text, read_type text,
    profile_key text,                   -- whose profile the stream follows: a segment, or VIC|<gas zone>
    occupied daterange                  -- local days on which the account had the stream
)
language sql stable as $$
    select a.account_id, s.site_id, s.jurisdiction, a.customer_class,
           (array_agg(m.meter_register_id order by m.start_date desc, m.meter_register_id desc))[1],
           array_agg(m.meter_register_id order by m.meter_register_id),
           m.suffix, m.stream_type, m.read_type,
           case a.fuel when 'GAS' then concat_ws('|', s.jurisdiction, s.node)
                       else concat_ws('|', s.jurisdiction, a.customer_class, m.stream_type) end,
           daterange(greatest(min(o.from_date), min(m.start_date), a.open_date),
                     least(max(coalesce(o.to_date, 'infinity')), max(coalesce(m.end_date, 'infinity')),
                           coalesce(a.close_date, 'infinity')), '[]')
    from core.account a
    join core.account_site o on o.account_id = a.account_id
    join core.site s on s.site_id = o.site_id
    join core.meter_register m on m.site_id = s.site_id
        and m.start_date <= least(coalesce(o.to_date, 'infinity'), coalesce(a.close_date, 'infinity'))
        and coalesce(m.end_date, 'infinity') >= greatest(o.from_date, a.open_date)
    where a.account_id = any (p_account_ids)
    group by a.account_id, s.site_id, m.suffix, m.stream_type, m.read_type,
             case m.read_type when 'BASIC' then m.meter_register_id end
$$;
