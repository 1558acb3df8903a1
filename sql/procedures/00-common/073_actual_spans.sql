-- Purpose: the spans of basic registers between two consecutive actual reads, in kWh or MJ, and the macro profile's sum over
-- their days; macro is null unless the profile covers every one of them.
-- Inputs: run_date; registers, the days on which the account of each had it, and its profile (stream is the place in all
-- three). Reads only. Its plan is made once a session.
create or replace function bua.actual_spans(p_run_date date, p_register_ids bigint[], p_occupied datemultirange[], p_profile_keys text[])
returns table (stream bigint, from_date date, to_date date, quantity numeric, macro numeric)
language plpgsql stable set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query
        select x.stream, x.from_date, x.to_date, x.quantity, m.macro
        from bua.read_spans(p_run_date, p_register_ids, p_occupied) x
        join unnest(p_profile_keys) with ordinality as k (profile_key, stream) using (stream)
        cross join lateral bua.macro_sum(p_run_date, k.profile_key, x.from_date, x.to_date) m
        where x.read_state = 'ACTUAL';
end $$;
