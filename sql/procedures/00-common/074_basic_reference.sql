-- Purpose: what basic registers used, in kWh or MJ, between their last actual read and the latest actual read at least
-- basic_reference_days before it, and the macro profile's sum over the days of the same spans. A span that is left out,
-- because its index went down, counts on neither side. There is no row without two such reads, or where the profile does
-- not cover every span. Inputs: run_date; registers; the days on which the account had them; the profile. Reads only.
create or replace function bua.basic_reference(p_run_date date, p_register_ids bigint[], p_occupied datemultirange, p_profile_key text)
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
