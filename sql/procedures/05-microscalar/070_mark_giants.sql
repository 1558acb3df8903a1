-- Purpose: giants: a register whose mean daily kWh is more than giant_factor times its segment's median follows no profile.
-- A basic register of which last year's season is known (season_ratio) has it in its scalar, wholly or as far as
-- season_power_giant says: READS_SEASON. Any other is estimated from the mean of its own days: GIANT_DAILY_MEAN. A giant's
-- scalar is never capped.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar. Safe to rerun: marks the same rows.
create or replace procedure bua.mark_giants(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    update bua.micro_scalar s
    set is_giant = true, daily_base = 0,
        method = case when s.read_type = 'BASIC' and s.season_ratio is not null then 'READS_SEASON' else 'GIANT_DAILY_MEAN' end,
        scalar = case when s.read_type = 'BASIC' and s.season_ratio is not null
                      then s.usage_units / s.macro_units * s.season_ratio ^ (select bua.parameter('season_power_giant')) end
    from bua.segment g
    where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.reference_days > 0
      and (g.run_date, g.segment) = (s.run_date, s.profile_key)
      and case when s.read_type = 'INTERVAL' and s.method <> 'OTHER_METER' then exists (
              select from bua.utility_profile_summary u
              where u.run_date = s.run_date and u.meter_register_id = any (s.register_ids)
                and u.segment = s.profile_key and u.is_giant)
          else s.daily_mean > (select bua.parameter('giant_factor')) * g.median_daily end;
end $$;
