-- Purpose: micro scalars: how much an account uses when its profile uses one unit. The column method records what a scalar
-- was worked out from; the first of these that applies is taken:
--   RECENT_DAYS      interval registers: at least scalar_min_days complete, non-estimated days within scalar_reference_days of
--                    the gap, the nearest of which count most
--   READS            basic registers: reads at least basic_reference_days apart
--   READS_SEASON     the same, corrected by how the customer's own usage changed with the season last year
--   BASE_AND_SEASON  gas: a base load and a slope on the zone's volume, and the own season
--   OLDER_READS      any actual spans, or the latest complete days, of at least scalar_min_days
--   OTHER_METER      a meter before or after this one, of either kind: its reads or complete days, at least scalar_min_days
--   INVOICES         valid invoices of the last twelve months that are not estimates
--   LAST_YEAR        what was read on the same days last year, however few they are
--   OWN_DAILY_MEAN   no profile covers the account's reads: the mean of its own days
--   SEGMENT_AVERAGE  nothing is known of the account itself
--   GIANT_DAILY_MEAN in place of any other: it uses more than giant_factor times its segment's median, no profile describes it
--   OWN_COPY         nothing is estimated: the run's own copy has every half-hour that the snapshot lacks
-- A row without a method has nothing to work from. Estimated usage and days of another occupant are never used.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar: one row per basic register, and one per gap of an interval
-- stream, that is not read; bua.read_difference; bua.implausible_read (SNAPSHOT_DAY). Safe to rerun: replaces the accounts' rows.
create or replace procedure bua.bua_create_invoice_scalar(p_run_date date, p_account_ids text[])
language plpgsql as $$
declare
    v_items text[];
    v_rest  text[];
begin
    delete from bua.micro_scalar where run_date = p_run_date and account_id = any (p_account_ids);
    delete from bua.read_difference where run_date = p_run_date and account_id = any (p_account_ids);

    delete from bua.implausible_read where run_date = p_run_date and account_id = any (p_account_ids) and reason = 'SNAPSHOT_DAY';

    with part as materialized (
        select * from bua.interval_day_parts(p_run_date, p_account_ids) where day_state <> 'READ'
    ),
    difference as (
        insert into bua.read_difference (run_date, account_id, meter_register_id, local_date, snapshot_units, copy_units)
        select distinct p_run_date, account_id, meter_register_id, local_date, snapshot_units, copy_units
        from part where day_state = 'DIFFERS'
    ),
    implausible as (
        insert into bua.implausible_read (run_date, account_id, site_id, meter_register_id, read_date, value, limit_value, reason)
        select distinct p_run_date, account_id, site_id, meter_register_id, local_date, snapshot_units, snapshot_limit, 'SNAPSHOT_DAY'
        from part where snapshot_limit is not null
        on conflict do nothing
    ),
    stream as materialized (
        select account_id, meter_register_id, site_id, stream_type, profile_key, register_ids, occupied,
               range_agg(daterange(local_date, local_date, '[]')) as unread,
               coalesce(range_agg(daterange(local_date, local_date, '[]')) filter (where day_state = 'WHOLE'), '{}') as whole
        from part where day_state <> 'DIFFERS' group by 1, 2, 3, 4, 5, 6, 7
    ),
    gap as materialized (
        select account_id, meter_register_id, min(profile_date) as first_missing, max(profile_date) as last_missing,
               row_number() over (partition by account_id, meter_register_id order by min(profile_date)) as gap
        from (
            select account_id, meter_register_id, profile_date,
                   profile_date - (row_number() over (partition by account_id, meter_register_id order by profile_date))::integer as island
            from part where day_state <> 'DIFFERS' and missing_mask <> 0
            group by 1, 2, 3
        ) d
        group by account_id, meter_register_id, island
    )
    insert into bua.micro_scalar (run_date, account_id, meter_register_id, site_id, read_type, stream_type, profile_key,
                                  register_ids, occupied, first_missing, last_missing, gap, method, unread, whole)
    select p_run_date, s.account_id, s.meter_register_id, s.site_id, 'INTERVAL', s.stream_type, s.profile_key, s.register_ids,
           s.occupied, g.first_missing, g.last_missing, coalesce(g.gap, 1),
           case when g.gap is null then 'OWN_COPY' end, s.unread, s.whole
    from stream s
    left join gap g using (account_id, meter_register_id);

    insert into bua.micro_scalar (run_date, account_id, meter_register_id, site_id, read_type, stream_type, profile_key,
                                  register_ids, occupied)
    select p_run_date, s.account_id, s.meter_register_id, s.site_id, 'BASIC', s.stream_type, s.profile_key, s.register_ids,
           s.occupied
    from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
    join bua.account_streams(p_account_ids) s on s.account_id = u.account_id and s.read_type = 'BASIC'
    where u.unbilled && s.days;

    call bua.scalars_from_interval_reads(p_run_date, p_account_ids);
    call bua.scalars_from_basic_reads(p_run_date, p_account_ids);
    call bua.scalars_of_own_season(p_run_date, p_account_ids);
    v_rest := array(   -- few: most accounts have reads of their own
        select distinct account_id from bua.micro_scalar
        where run_date = p_run_date and account_id = any (p_account_ids) and method is null);
    if cardinality(v_rest) > 0 then
        call bua.scalars_from_older_reads(p_run_date, v_rest);
        call bua.scalars_from_other_meters(p_run_date, v_rest);
        call bua.scalars_from_invoices(p_run_date, v_rest);
        call bua.scalars_from_last_year(p_run_date, v_rest);
        call bua.scalars_without_profile(p_run_date, v_rest);

        update bua.micro_scalar s set method = 'SEGMENT_AVERAGE', scalar = p.scalar
        from core.account a, bua.profile_scalar p
        where s.run_date = p_run_date and s.account_id = any (v_rest) and s.method is null
          and a.account_id = s.account_id
          and (p.run_date, p.profile_key, p.customer_class) = (s.run_date, s.profile_key, a.customer_class);
    end if;

    update bua.micro_scalar s set daily_mean = s.usage_units / s.reference_days
    where s.run_date = p_run_date and s.account_id = any (p_account_ids);

    call bua.mark_giants(p_run_date, p_account_ids);
    call bua.mark_vacant(p_run_date, p_account_ids);

    -- greatest() and least() ignore a null: a missing scalar would become 0, a vacant site.
    update bua.micro_scalar s
    set scalar = round(case when s.is_giant then s.scalar
                            else least(greatest(s.scalar, 0), (select bua.parameter('scalar_cap'))) end, 15),
        is_capped = not s.is_giant and s.scalar > (select bua.parameter('scalar_cap'))
    where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.scalar is not null;

    v_items := array(
        select unnest(p_account_ids) except
        select account_id from bua.micro_scalar where run_date = p_run_date and account_id = any (p_account_ids));
    call bua.skip_work_items(p_run_date, 'MicroScalar', v_items, 'Nothing to estimate: every unbilled day has been read');
    v_items := array(
        select account_id from bua.micro_scalar
        where run_date = p_run_date and account_id = any (p_account_ids)
        group by account_id having bool_and(method is null));
    call bua.skip_work_items(p_run_date, 'MicroScalar', v_items, 'Nothing to work from: no reads, no invoice that is not an estimate, no profile');
end $$;
