-- Purpose: what basic registers used, in kWh or MJ, between their last actual read and the latest actual read at least
-- basic_reference_days before it, and the macro profile's sum over the days of the same spans. A span that is left out,
-- because its index went down, counts on neither side. There is no row without two such reads, or where the profile does
-- not cover every span. Inputs: run_date; registers, the days on which the account of each had it, and its profile (stream is
-- the place in all three). Reads only.
create or replace function bua.basic_reference(p_run_date date, p_register_ids bigint[], p_occupied datemultirange[], p_profile_keys text[])
returns table (stream bigint, from_date date, to_date date, days integer, usage numeric, macro numeric)
language sql stable as $$
    with span as materialized (
        select s.*, max(s.to_date) over (partition by s.stream) as last_date
        from bua.actual_spans(p_run_date, p_register_ids, p_occupied, p_profile_keys) s
    ),
    bounded as (
        select s.*, max(s.from_date) filter (where s.from_date <= s.last_date - (select bua.parameter('basic_reference_days'))::integer)
                        over (partition by s.stream) as first_date
        from span s
    )
    select * from (
        select b.stream, b.first_date, b.last_date, sum(b.to_date - b.from_date)::integer as days, sum(b.quantity) as usage,
               case when count(b.macro) = count(*) then sum(b.macro) end as macro
        from bounded b where b.from_date >= b.first_date
        group by b.stream, b.first_date, b.last_date
    ) r where r.macro > 0
$$;
