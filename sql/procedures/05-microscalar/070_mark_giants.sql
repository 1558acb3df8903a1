-- Purpose: GIANT_DAILY_MEAN: a register whose mean daily kWh is more than giant_factor times its segment's median follows no
-- profile. It is estimated from the mean of its own days.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar. Safe to rerun: marks the same rows.
create or replace procedure bua.mark_giants(p_run_date date, p_account_ids text[])
language sql as $$
    update bua.micro_scalar s
    set method = 'GIANT_DAILY_MEAN', scalar = null, is_capped = false
    from bua.segment g
    where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.reference_days > 0
      and (g.run_date, g.segment) = (s.run_date, s.profile_key)
      and case when s.read_type = 'INTERVAL' and s.method <> 'OTHER_METER' then exists (
              select from bua.utility_profile_summary u
              where u.run_date = s.run_date and u.meter_register_id = any (s.register_ids)
                and u.segment = s.profile_key and u.is_giant)
          else s.daily_mean > (select bua.parameter('giant_factor')) * g.median_daily end
$$;
