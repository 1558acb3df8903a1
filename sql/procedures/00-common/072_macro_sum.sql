-- Purpose: the macro profile's sum, in kWh or MJ, over the days from p_from to the day before p_to; null unless every one of
-- them has a value. Inputs: run_date; the profile; the days. Reads only. A table of one row: so it becomes part of the
-- statement that asks.
create or replace function bua.macro_sum(p_run_date date, p_profile_key text, p_from date, p_to date)
returns table (macro numeric)
language sql stable as $$
    select case when count(*) = p_to - p_from then sum(m.daily_total) end
    from bua.macro_profile m
    where m.run_date = p_run_date and m.profile_key = p_profile_key and m.profile_date >= p_from and m.profile_date < p_to
$$;
