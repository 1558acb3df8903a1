-- Purpose: micro scalars: how much an account uses when its profile uses one unit. The column method records what a scalar
-- was worked out from; the first of these that applies is taken:
--   READS            basic registers: reads at least basic_reference_days apart; interval registers: at least scalar_min_days
--                    complete, non-estimated days among the scalar_reference_days before the first missing day
--   OLDER_READS      any actual spans, or the latest complete days, of at least scalar_min_days
--   INVOICES         valid invoices of the last twelve months that are not estimates
--   LAST_YEAR        what was read on the same days last year, however few they are
--   OWN_DAILY_MEAN   no profile covers the account's reads: the mean of its own days
--   SEGMENT_AVERAGE  nothing is known of the account itself
--   GIANT_DAILY_MEAN the account uses more than giant_factor times its segment's median: no profile describes it
-- A row without a method has nothing to work from. Estimated usage and days of another occupant are never used.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, one row per stream that has something to estimate.
-- Safe to rerun: replaces the accounts' rows.
create or replace procedure bua.bua_create_invoice_scalar(p_run_date date, p_account_ids text[])
language plpgsql as $$
declare
    v_items text[];
begin
    delete from bua.micro_scalar where run_date = p_run_date and account_id = any (p_account_ids);

    insert into bua.micro_scalar (run_date, account_id, meter_register_id, site_id, read_type, stream_type, profile_key,
                                  register_ids, occupied, first_missing, last_missing)
    select p_run_date, account_id, meter_register_id, site_id, 'INTERVAL', stream_type, profile_key, register_ids, occupied,
           min(profile_date), max(profile_date)
    from bua.missing_days(p_run_date, p_account_ids)
    group by account_id, meter_register_id, site_id, stream_type, profile_key, register_ids, occupied
    union all
    select p_run_date, s.account_id, s.meter_register_id, s.site_id, 'BASIC', s.stream_type, s.profile_key, s.register_ids,
           s.occupied, null, null
    from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
    join bua.account_streams(p_account_ids) s on s.account_id = u.account_id and s.read_type = 'BASIC'
    where u.unbilled && s.days;

    call bua.scalars_from_interval_reads(p_run_date, p_account_ids);
    call bua.scalars_from_basic_reads(p_run_date, p_account_ids);
    call bua.scalars_from_invoices(p_run_date, p_account_ids);
    call bua.scalars_from_last_year(p_run_date, p_account_ids);
    call bua.scalars_without_profile(p_run_date, p_account_ids);

    update bua.micro_scalar s set method = 'SEGMENT_AVERAGE', scalar = p.scalar
    from core.account a, bua.profile_scalar p
    where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.method is null
      and a.account_id = s.account_id
      and (p.run_date, p.profile_key, p.customer_class) = (s.run_date, s.profile_key, a.customer_class);

    update bua.micro_scalar s
    set daily_mean = s.usage_units / s.reference_days,
        -- greatest() and least() ignore a null: without the case, a missing scalar would become 0, a vacant site.
        scalar = case when s.scalar is not null then round(least(greatest(s.scalar, 0), (select bua.parameter('scalar_cap'))), 15) end,
        is_capped = coalesce(s.scalar > (select bua.parameter('scalar_cap')), false)
    where s.run_date = p_run_date and s.account_id = any (p_account_ids);

    call bua.mark_giants(p_run_date, p_account_ids);

    v_items := array(
        select unnest(p_account_ids) except
        select account_id from bua.micro_scalar where run_date = p_run_date);
    call bua.skip_work_items(p_run_date, 'MicroScalar', v_items, 'Nothing to estimate: every unbilled day has been read');
    v_items := array(
        select account_id from bua.micro_scalar
        where run_date = p_run_date and account_id = any (p_account_ids)
        group by account_id having bool_and(method is null));
    call bua.skip_work_items(p_run_date, 'MicroScalar', v_items, 'Nothing to work from: no reads, no invoice that is not an estimate, no profile');
end $$;
