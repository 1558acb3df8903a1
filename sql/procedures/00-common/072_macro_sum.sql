-- Purpose: the macro profile's sum, in kWh or MJ, over the days from p_from to the day before p_to, at least one; null unless
-- every one of them has a value. A difference of two running totals. Inputs: run_date; the profile; the days. Reads only. A
-- table of one row: so it becomes part of the statement that asks.
create or replace function bua.macro_sum(p_run_date date, p_profile_key text, p_from date, p_to date)
returns table (macro numeric)
language sql stable as $$
    select (
        select l.total_before + l.daily_total - f.total_before
        from bua.macro_profile f
        join bua.macro_profile l on l.run_date = p_run_date and l.profile_key = p_profile_key and l.profile_date = p_to - 1
        where f.run_date = p_run_date and f.profile_key = p_profile_key and f.profile_date = p_from
          and l.days_before - f.days_before = p_to - 1 - p_from
    )
$$;
