-- Sums of a profile over a span of days are differences of running totals: two rows are read, whatever the span's length.
alter table bua.macro_profile add column days_before integer, add column total_before numeric;
comment on column bua.macro_profile.days_before is 'the number of the profile''s earlier days';
comment on column bua.macro_profile.total_before is 'kWh or MJ of the profile''s earlier days';

-- A run that was begun before this migration goes on with its profile.
update bua.macro_profile m
set days_before = b.days, total_before = b.total
from (
    select run_date, profile_key, profile_date, count(*) over before as days, coalesce(sum(daily_total) over before, 0) as total
    from bua.macro_profile
    window before as (partition by run_date, profile_key order by profile_date rows between unbounded preceding and 1 preceding)
) b
where (m.run_date, m.profile_key, m.profile_date) = (b.run_date, b.profile_key, b.profile_date);
