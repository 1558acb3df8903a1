-- Purpose: the run's macro profiles: the daily total of every segment (kWh) and gas zone (MJ), whose
-- degree-days come along where they are known. Input: run_date. Reads only.
create or replace function bua.evidence_profiles(p_run_date date)
returns table (profile_key text, profile_date date, units numeric, degree_days numeric)
language sql stable as $$
    select m.profile_key, m.profile_date, m.daily_total, m.degree_days from bua.macro_profile m where m.run_date = p_run_date
$$;
