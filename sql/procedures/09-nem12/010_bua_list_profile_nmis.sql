-- Purpose: the NMIs that need a meter data file: a half-hour of an unbilled day has not been read, and there is something
-- to estimate it from. Input: run_date. Reads only.
create or replace function bua.bua_list_profile_nmis(p_run_date date)
returns table (site_id text)
language sql stable as $$
    select distinct s.site_id from bua.micro_scalar s
    where s.run_date = p_run_date and s.read_type = 'INTERVAL' and s.method is not null
$$;
