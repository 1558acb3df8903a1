-- Purpose: what was used between reads of basic registers. Inputs: run_date; registers; the days of occupancy.
-- A read of day D stands at the start of D, so a span covers the days [from_date, to_date), to_date excluded.
-- ACTUAL spans lie between consecutive actual reads. After the last actual read, the platform's delivered estimates
-- make ESTIMATED spans; between actual reads they are passed over. An index that went down has rolled over at its
-- digits; a register without digits never does, so that such a span is worth nothing and left out.
create or replace function bua.read_spans(p_run_date date, p_register_ids bigint[], p_occupied daterange)
returns table (meter_register_id bigint, from_date date, to_date date, quantity numeric, read_state text)
language sql stable as $$
    with platform_read as (
        select r.meter_register_id, r.read_date, r.index_value, r.quantity_factor, r.quality,
               max(r.read_date) filter (where r.quality = 'A') over (partition by r.meter_register_id) as last_actual
        from core.meter_read r, bua.run x
        where x.run_date = p_run_date and r.origin = 'PLATFORM' and r.meter_register_id = any (p_register_ids)
          and r.read_date between lower(p_occupied) and least(upper(p_occupied), x.period_end)
    ),
    span as (
        select r.*, lead(r.read_date) over w as next_date, lead(r.index_value) over w as next_index,
               lead(r.quantity_factor) over w as next_factor,
               lead(r.quality) over w as next_quality
        from platform_read r
        where r.quality = 'A' or r.last_actual is null or r.read_date > r.last_actual
        window w as (partition by r.meter_register_id order by r.read_date)
    )
    select s.meter_register_id, s.read_date, s.next_date,
           (s.next_index - s.index_value + case when s.next_index < s.index_value then 10::numeric ^ m.digits else 0 end)
               * s.next_factor,
           case when s.quality = 'A' and s.next_quality = 'A' then 'ACTUAL' else 'ESTIMATED' end
    from span s join core.meter_register m using (meter_register_id)
    where s.next_date is not null and (s.next_index >= s.index_value or m.digits is not null)
$$;

-- Purpose: the macro profile's sum over the days [p_from, p_to), null unless every one of them has a value.
create or replace function bua.macro_sum(p_run_date date, p_profile_key text, p_from date, p_to date) returns numeric
language sql stable as $$
    select case when count(*) = p_to - p_from then sum(m.daily_total) end
    from bua.macro_profile m
    where m.run_date = p_run_date and m.profile_key = p_profile_key and m.profile_date >= p_from and m.profile_date < p_to
$$;

-- Purpose: usage between the last actual read and the latest actual read at least basic_reference_days before it,
-- and the macro profile over the days of its spans: a span that is left out, its index having gone down, counts on
-- neither side. No row where there are no such reads or the profile does not reach.
create or replace function bua.basic_reference(p_run_date date, p_register_ids bigint[], p_occupied daterange, p_profile_key text)
returns table (from_date date, to_date date, days integer, usage numeric, macro numeric)
language sql stable as $$
    with span as materialized (
        select * from bua.read_spans(p_run_date, p_register_ids, p_occupied) where read_state = 'ACTUAL'
    ),
    bound as (
        select max(f.from_date) as from_date, l.to_date
        from (select max(to_date) as to_date from span) l
        join span f on f.from_date <= l.to_date - (select bua.parameter('basic_reference_days'))::integer
        group by l.to_date
    )
    select * from (
        select b.from_date, b.to_date, sum(s.to_date - s.from_date)::integer as days, sum(s.quantity) as usage,
               case when count(m.macro) = count(*) then sum(m.macro) end as macro
        from bound b
        join span s on s.from_date >= b.from_date
        cross join lateral bua.macro_sum(p_run_date, p_profile_key, s.from_date, s.to_date) m (macro)
        group by b.from_date, b.to_date
    ) r where r.macro > 0
$$;
