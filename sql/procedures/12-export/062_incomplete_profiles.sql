-- Purpose: the segments whose profile is not what it would be if nothing had failed: sites whose reads could not be taken
-- over are missing from the average, or a month of it was not worked out or corrected. accounts counts those that are
-- accrued and follow the profile: their estimates, and the spread of an index's use over its days, may have moved.
-- Input: run_date. Reads only.
create or replace function bua.incomplete_profiles(p_run_date date)
returns table (segment text, sites_missing bigint, months_failed bigint, accounts bigint)
language sql stable as $$
    with failed as materialized (
        select run_type, item_key from bua.bua_control
        where run_date = p_run_date and state = 'FAIL' and (run_type = 'UtilityProfile' or run_type like 'SegmentJurisdiction%')
    ),
    part as (
        select r.segment, r.site_id, null as item_key
        from bua.bua_list_profile_registers(p_run_date, array(select item_key from failed where run_type = 'UtilityProfile')) r
        union all
        select regexp_replace(item_key, '\|[0-9]{4}-[0-9]{2}$', ''), null, item_key from failed where run_type <> 'UtilityProfile'
    ),
    profile as materialized (
        select p.segment, count(distinct p.site_id) as sites, count(distinct p.item_key) as months from part p group by 1
    ),
    follower as (
        select s.profile_key, s.account_id
        from bua.account_streams(array(select account_id from bua.account_summary where run_date = p_run_date)) s
        where s.read_type = 'BASIC' and exists (select from profile)
        union
        select s.profile_key, s.account_id from bua.micro_scalar s
        where s.run_date = p_run_date and s.scalar is not null and s.method <> 'GIANT_DAILY_MEAN'
    )
    select p.segment, p.sites, p.months,
           (select count(distinct f.account_id) from follower f
            join bua.account_summary a on (a.run_date, a.account_id) = (p_run_date, f.account_id) and a.method <> 'NONE'
            where f.profile_key = p.segment)
    from profile p
$$;
