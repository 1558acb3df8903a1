-- Purpose: what basic registers used, in kWh or MJ, over all their spans between actual reads, and the macro profile's sum
-- over the same days. A span that the profile does not cover counts on neither side. There is no row for fewer than
-- scalar_min_days. Inputs: run_date; registers, the days on which the account of each had it, and its profile (stream is the
-- place in all three). Reads only.
create or replace function bua.older_spans(p_run_date date, p_register_ids bigint[], p_occupied datemultirange[], p_profile_keys text[])
returns table (stream bigint, from_date date, to_date date, days integer, usage numeric, macro numeric)
language sql stable as $$
    select * from (
        select s.stream, min(s.from_date), max(s.to_date), sum(s.to_date - s.from_date)::integer as days, sum(s.quantity), sum(s.macro)
        from bua.actual_spans(p_run_date, p_register_ids, p_occupied, p_profile_keys) s
        where s.macro > 0
        group by s.stream
    ) r
    where r.days >= (select bua.parameter('scalar_min_days'))
$$;
