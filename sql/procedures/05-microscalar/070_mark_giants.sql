-- Purpose: GIANT_DAILY_MEAN: a register whose mean daily usage is over giant_factor times its segment's median follows
-- no profile; it is estimated from its own mean day. Inputs: run_date, accounts. Tables written: bua.micro_scalar.
create or replace procedure bua.mark_giants(p_run_date date, p_account_ids text[])
language sql as $$
    update bua.micro_scalar s
    set method = 'GIANT_DAILY_MEAN', scalar = null, is_capped = false
    from core.account a, bua.segment g
    where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.reference_days > 0
      and a.account_id = s.account_id and a.fuel = 'ELECTRICITY'
      and g.run_date = s.run_date
      and bua.profile_key('ELECTRICITY', g.jurisdiction, '', g.customer_class, g.stream_type) = s.profile_key
      and case s.read_type
          when 'INTERVAL' then exists (
              select from bua.utility_profile_summary u
              where u.run_date = s.run_date and u.meter_register_id = any (s.register_ids)
                and u.customer_class = a.customer_class and u.is_giant)
          else s.daily_mean > (select bua.parameter('giant_factor')) * g.median_daily end
$$;
