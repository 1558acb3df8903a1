-- Purpose: the kWh above which a day of a stream's interval reads cannot be: implausible_day_half_hours at the limit of its
-- class, or implausible_factor times its mean day where that is more. A business without a complete day has only the
-- limit that holds for all.
-- Inputs: run_date; the registers; the profile, a segment. Reads only.
create or replace function bua.interval_day_limit(p_run_date date, p_register_ids bigint[], p_profile_key text)
returns table (day_limit numeric)
language sql stable as $$
    select case when split_part(p_profile_key, '|', 2) = 'BUS' and not coalesce(sum(u.complete_days) > 0, false)
                then 48 * (select bua.parameter('implausible_any_half_hour'))
                else greatest((select bua.parameter('implausible_day_half_hours'))
                                  * case split_part(p_profile_key, '|', 2)
                                        when 'BUS' then (select bua.parameter('implausible_bus_half_hour'))
                                        else (select bua.parameter('implausible_res_half_hour')) end,
                              (select bua.parameter('implausible_factor')) * sum(u.complete_total) / 1e6
                                  / nullif(sum(u.complete_days), 0)) end
    from bua.utility_profile_summary u
    where u.run_date = p_run_date and u.meter_register_id = any (p_register_ids) and u.segment = p_profile_key
$$;
