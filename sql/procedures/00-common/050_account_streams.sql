-- Purpose: what an account is metered by. Input: the accounts. Reads only.
-- An interval data stream is a site's suffix, whatever meters it went through: a swap carries the stream on.
-- A basic register is a stream of its own: index reads of two meters are never mixed.
create or replace function bua.account_streams(p_account_ids text[])
returns table (
    account_id text, site_id text, jurisdiction text, customer_class text,
    meter_register_id bigint,           -- the latest of register_ids: names the stream
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

create or replace function bua.segment_month(p_segment text, p_date date) returns text
language sql stable as $$
    select p_segment || '|' || to_char(p_date, 'YYYY-MM')
$$;

create or replace function bua.parameter(p_name text) returns numeric
language sql stable as $$ select value from bua.parameter where name = p_name $$;

create or replace function bua.day_type(p_jurisdiction text, p_date date) returns text
language sql stable as $$
    select case when exists (select from core.public_holiday h where h.jurisdiction = p_jurisdiction and h.holiday_date = p_date)
                    then 'HOLIDAY'
                when extract(isodow from p_date) >= 6 then 'WEEKEND'
                else 'WEEKDAY' end
$$;
