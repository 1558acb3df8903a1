-- Purpose: what an interval stream used, in kWh, on its latest complete, non-estimated days, at most scalar_reference_days of
-- them, and the macro profile's sum over the same days. There is no row for fewer than scalar_min_days.
-- Inputs: run_date; the stream's registers; the days on which the account had them; the profile. Reads only.
create or replace function bua.latest_complete_days(p_run_date date, p_register_ids bigint[], p_occupied datemultirange, p_profile_key text)
returns table (from_date date, to_date date, days integer, usage numeric, macro numeric)
language sql stable as $$
    select * from (
        select min(profile_date), max(profile_date) + 1, count(*)::integer as days, sum(day_total) / 1e6, sum(daily_total) as macro
        from (
            select u.profile_date, u.day_total, m.daily_total
            from bua.utility_profile u
            join bua.macro_profile m
                on (m.run_date, m.profile_key, m.profile_date) = (p_run_date, p_profile_key, u.profile_date)
            where u.run_date = p_run_date and u.meter_register_id = any (p_register_ids) and u.excluded_mask = 0
              and p_occupied @> u.profile_date
            order by u.profile_date desc
            limit (select bua.parameter('scalar_reference_days'))
        ) latest
    ) r
    where r.days >= (select bua.parameter('scalar_min_days')) and r.macro > 0
$$;
