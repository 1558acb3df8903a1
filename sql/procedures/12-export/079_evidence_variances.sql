-- Purpose: how the segments' profiles compare with what is billed, month by month, in kWh: see bua.validate_segments.
-- Input: run_date. Reads only.
create or replace function bua.evidence_variances(p_run_date date)
returns table (segment text, year_month text, profile_units numeric, platform_units numeric, variance_percent numeric,
               is_anomaly boolean)
language sql stable as $$
    select v.segment, v.year_month, v.profile_units, v.platform_units, v.variance_percent, v.is_anomaly
    from bua.utility_profile_variance v where v.run_date = p_run_date
$$;
