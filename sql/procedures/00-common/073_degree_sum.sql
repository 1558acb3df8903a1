-- Purpose: a gas zone's degree-days over [p_from, p_to); null when one of its days has none. Reads only.
create or replace function bua.degree_sum(p_run_date date, p_profile_key text, p_from date, p_to date) returns numeric
language sql stable as $$
    select case when count(m.degree_days) = p_to - p_from then sum(m.degree_days) end
    from bua.macro_profile m
    where m.run_date = p_run_date and m.profile_key = p_profile_key and m.profile_date >= p_from and m.profile_date < p_to
$$;
