-- Sums of a profile over a span of days are differences of running totals: two rows are read, whatever the span's length.
alter table bua.macro_profile add column days_before integer, add column total_before numeric;
comment on column bua.macro_profile.days_before is 'the number of the profile''s earlier days';
comment on column bua.macro_profile.total_before is 'kWh or MJ of the profile''s earlier days';
