-- Purpose: the streams that accounts are metered by. A stream of interval data is a site's suffix, whichever meters it
-- went through: it survives a change of meter. A basic register is a stream of its own: index reads of two meters are
-- never mixed.
-- Two registers of a type that share the day of a change of meters do not count it twice: it is the new register's.
-- A stream that ended goes on when nothing takes its place: through the hole between two meters of one suffix, and, where
-- no register is known any more (a successor that has not arrived yet), through the days without a PRIMARY register, or
-- without any at a site that has no PRIMARY one. So these days are estimated, from the register that was there last.
-- Inputs: the accounts. Reads only.
create or replace function bua.account_streams(p_account_ids text[])
returns table (
    account_id text, site_id text, jurisdiction text, customer_class text,
    meter_register_id bigint,           -- the latest of register_ids; it stands for the stream
    register_ids bigint[], suffix text, stream_type text, read_type text,
    profile_key text,                   -- whose profile the stream follows: a segment, or VIC|<gas zone>
    occupied datemultirange,            -- local days on which the account had the stream: reads of these days are its own
    days datemultirange                 -- those that count for the account and the stream, each day once
)
language sql stable as $$
    with register as materialized (
        select w.account_id, w.site_id, w.present, w.own, m.meter_register_id, m.suffix, m.stream_type, m.read_type, m.start_date,
               case m.read_type when 'BASIC' then m.meter_register_id end as basic_id,
               datemultirange(bua.day_range(m.start_date, coalesce(m.end_date, 'infinity'))) as life,
               case when exists (
                   select from core.meter_register n
                   where n.site_id = m.site_id and n.stream_type = m.stream_type
                     and n.start_date = m.end_date and n.start_date > m.start_date
               ) then datemultirange(daterange(m.end_date, m.end_date, '[]')) else '{}' end as handed_over
        from bua.account_sites(p_account_ids) w
        join core.meter_register m on m.site_id = w.site_id
        where w.present && datemultirange(bua.day_range(m.start_date, coalesce(m.end_date, 'infinity')))
    ),
    -- Windows, not joins: the cost of a site's registers must not depend on the other sites of the batch.
    beside as (
        select r.*, range_agg(life) over (partition by account_id, site_id, stream_type) as metered,
               own - coalesce(range_agg(life) filter (where stream_type = 'PRIMARY') over site, range_agg(life) over site) as unknown
        from register r
        window site as (partition by account_id, site_id)
    ),
    stream as (
        select r.account_id, r.site_id, r.suffix, r.stream_type, r.read_type, r.present, r.own, r.metered,
               r.unknown,       -- the days without a register
               (array_agg(r.meter_register_id order by r.start_date desc, r.meter_register_id desc))[1] as meter_register_id,
               array_agg(r.meter_register_id order by r.meter_register_id) as register_ids,
               range_agg(r.life) as life, range_agg(r.life - r.handed_over) as kept
        from beside r
        group by r.account_id, r.site_id, r.suffix, r.stream_type, r.read_type, r.present, r.own, r.metered, r.unknown, r.basic_id
    )
    select s.account_id, s.site_id, t.jurisdiction, a.customer_class, s.meter_register_id, s.register_ids, s.suffix,
           s.stream_type, s.read_type,
           case a.fuel when 'GAS' then concat_ws('|', t.jurisdiction, t.node)
                       else concat_ws('|', t.jurisdiction, a.customer_class, s.stream_type) end,
           s.present * (s.life + g.gone_on), s.own * (s.kept + g.gone_on)
    from stream s
    join core.account a using (account_id)
    join core.site t using (site_id)
    cross join lateral (
        select datemultirange(range_merge(s.life)) - s.metered + coalesce(range_agg(u), '{}') as gone_on
        from unnest(s.unknown) u
        where lower(u) = upper(s.life)
    ) g
$$;
