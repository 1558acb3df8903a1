-- Purpose: how many days of interval reads site-data wrote for the run, and how many there are. The copy is not in the
-- write-ahead log: after a crash of PostgreSQL it is empty, while the log of the sites is not. Input: run_date. Reads only.
create or replace function bua.count_interval_days(p_run_date date) returns table (written bigint, found bigint)
language sql stable as $$
    select (select coalesce(sum(l.days_written), 0) from bua.utility_profile_log l where l.run_date = p_run_date),
           (select count(*) from bua.utility_profile u where u.run_date = p_run_date)
$$;
