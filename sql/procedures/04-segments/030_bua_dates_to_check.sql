-- Purpose: the market days of every segment that are averaged, checked, filled and validated: every day of the segment's
-- span, read or not. Input: run_date. Reads only.
create or replace function bua.bua_dates_to_check(p_run_date date)
returns table (segment text, profile_date date)
language sql stable as $$
    select s.segment, d::date
    from bua.segment s
    cross join generate_series(s.first_date::timestamp, s.last_date::timestamp, interval '1 day') d
    where s.run_date = p_run_date
$$;
