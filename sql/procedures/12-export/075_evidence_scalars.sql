-- Purpose: how the estimates of accounts were worked out, a row for each gap of each stream, with the latest of its registers.
-- Units are kWh or MJ. Inputs: run_date, accounts. Reads only.
create or replace function bua.evidence_scalars(p_run_date date, p_account_ids text[])
returns table (account_id text, site_id text, meter_serial text, register_id text, stream_type text, read_type text,
               gap smallint, method text, scalar numeric, daily_base numeric, daily_mean numeric, reference_from date,
               reference_to date, reference_days integer, usage_units numeric, macro_units numeric, season_ratio numeric,
               season_from date, season_to date, is_giant boolean, is_vacant boolean, is_capped boolean, first_missing date,
               last_missing date, profile_key text, degree_slope numeric)
language sql stable as $$
    select s.account_id, s.site_id, m.meter_serial, m.register_id, s.stream_type, s.read_type, s.gap, s.method, s.scalar,
           s.daily_base, s.daily_mean, s.reference_from, s.reference_to, s.reference_days, s.usage_units, s.macro_units,
           s.season_ratio, s.season_from, s.season_to, s.is_giant, s.is_vacant, s.is_capped, s.first_missing, s.last_missing,
           s.profile_key, s.degree_slope
    from bua.micro_scalar s
    join core.meter_register m using (meter_register_id)
    where s.run_date = p_run_date and s.account_id = any (p_account_ids)
$$;
