-- What this step fans out: see 00-common/020_run_types.sql.

-- UtilityProfile: sites with interval registers, those of one segment together. Python reads the interval store and writes.
create or replace function bua.list_utility_profile(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$
    select r.site_id, min(r.segment)
    from bua.bua_list_profile_registers(p_run_date) r group by r.site_id
$$;

create or replace procedure bua.reset_utility_profile(p_run_date date)
language plpgsql as $$
begin
    call bua.truncate_run('utility_profile', p_run_date);
    call bua.truncate_run('utility_profile_log', p_run_date);
    call bua.truncate_run('utility_profile_summary', p_run_date);
    call bua.truncate_run('incomplete_day', p_run_date);
    call bua.truncate_run('segment_partial', p_run_date);
    delete from bua.implausible_read where run_date = p_run_date and half_hours is not null;
end $$;

-- The other four work on the months of every segment.
create or replace function bua.list_segment_months(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$
    select distinct bua.segment_month(d.segment, d.profile_date), ''
    from bua.bua_dates_to_check(p_run_date) d
$$;

create or replace function bua.list_segment_jurisdiction_avg_excl_est(p_run_date date)
returns table (item_key text, sort_key text)
language sql stable as $$ select * from bua.list_segment_months(p_run_date) $$;

create or replace procedure bua.reset_segment_jurisdiction_avg_excl_est(p_run_date date)
language plpgsql as $$
begin
    call bua.require_interval_days(p_run_date);
    call bua.analyze_run('utility_profile', p_run_date);
    call bua.analyze_run('utility_profile_summary', p_run_date);
    call bua.analyze_run('incomplete_day', p_run_date);
    call bua.analyze_run('segment_partial', p_run_date);
    call bua.truncate_run('segment', p_run_date);
    call bua.truncate_run('segment_day', p_run_date);
    call bua.truncate_run('segment_profile', p_run_date);
    call bua.truncate_run('segment_profile_mark', p_run_date);
    call bua.create_segments(p_run_date);
end $$;

create or replace procedure bua.work_off_segment_jurisdiction_avg_excl_est(p_run_date date, p_items text[])
language sql as $$ call bua.calculate_segment_averages(p_run_date, p_items) $$;

create or replace function bua.list_segment_jurisdiction_check(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$ select * from bua.list_segment_months(p_run_date) $$;

create or replace procedure bua.reset_segment_jurisdiction_check(p_run_date date)
language plpgsql as $$
begin
    call bua.analyze_run('segment_profile', p_run_date);
    call bua.truncate_run('segment_profile_mark', p_run_date);
end $$;

create or replace procedure bua.work_off_segment_jurisdiction_check(p_run_date date, p_items text[])
language sql as $$ call bua.bua_mark_segment_jurisdiction_entries(p_run_date, p_items) $$;

create or replace function bua.list_segment_jurisdiction_fix(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$ select * from bua.list_segment_months(p_run_date) $$;

create or replace procedure bua.reset_segment_jurisdiction_fix(p_run_date date)
language sql as $$ call bua.analyze_run('segment_profile_mark', p_run_date) $$;

create or replace procedure bua.work_off_segment_jurisdiction_fix(p_run_date date, p_items text[])
language sql as $$ call bua.bua_fill_marked_segment_jurisdiction_entries(p_run_date, p_items) $$;

create or replace function bua.list_validate(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$ select * from bua.list_segment_months(p_run_date) $$;

create or replace procedure bua.reset_validate(p_run_date date)
language sql as $$ call bua.truncate_run('utility_profile_variance', p_run_date) $$;

create or replace procedure bua.work_off_validate(p_run_date date, p_items text[])
language sql as $$ call bua.validate_segments(p_run_date, p_items) $$;
