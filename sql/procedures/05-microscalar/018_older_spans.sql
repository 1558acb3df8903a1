-- Purpose: what basic registers used, in kWh or MJ, over all their spans between actual reads, and the macro profile's sum
-- over the same days. A span that the profile does not cover counts on neither side. There is no row for fewer than
-- scalar_min_days. Inputs: run_date; registers; the days on which the account had them; the profile. Reads only.
create or replace function bua.older_spans(p_run_date date, p_register_ids bigint[], p_occupied datemultirange, p_profile_key text)
returns table (from_date date, to_date date, days integer, usage numeric, macro numeric)
language sql stable as $$
    select * from (
        select min(x.from_date), max(x.to_date), sum(x.to_date - x.from_date)::integer as days, sum(x.quantity), sum(m.macro)
        from bua.read_spans(p_run_date, p_register_ids, p_occupied) x
        cross join lateral bua.macro_sum(p_run_date, p_profile_key, x.from_date, x.to_date) m (macro)
        where x.read_state = 'ACTUAL' and m.macro > 0
    ) r
    where r.days >= (select bua.parameter('scalar_min_days'))
$$;
