-- Purpose: the NMIs that need a meter data file: an unbilled day does not count as read, and there is something to estimate
-- it from, or the run's own copy of the interval reads has half-hours that the snapshot lacks. Input: run_date. Reads only.
create or replace function bua.bua_list_profile_nmis(p_run_date date)
returns table (site_id text)
language sql stable as $$
    select distinct s.site_id from bua.micro_scalar s
    where s.run_date = p_run_date and s.read_type = 'INTERVAL'
      and (s.method is not null or exists (
          select from bua.utility_profile u
          where u.run_date = s.run_date and u.meter_register_id = any (s.register_ids)
            and u.profile_date between lower(s.whole) and upper(s.whole)))
$$;
