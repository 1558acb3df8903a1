-- Purpose: the accounts with at least one unbilled day in the period, and their unbilled days: the supply days of the
-- period that no valid invoice covers, as a multirange of dates. A supply day is a day that counts for the account at a
-- site (bua.account_sites), or, for an account without any site, a day of its life. A valid invoice is the platform's own,
-- is not reversed, and was issued on or before AS_AT. An invoice that a run made is never an input.
-- Inputs: run_date; optionally the accounts to look at. Reads only.
-- Its plan, made once a session, looks account by account: so it serves a message as well as the whole run, whose accounts are
-- named as a message's are.
create or replace function bua.bua_list_unbilled_accounts(p_run_date date, p_account_ids text[] default null)
returns table (
    account_id text, site_id text, fuel text, jurisdiction text, customer_class text, plan_code text,
    unbilled datemultirange,
    last_billed_to date,                -- before or inside the period; null = never billed
    has_hole boolean,                   -- an unbilled day lies before the last billed one
    is_after_estimated_bill boolean,    -- the last valid invoice was an estimate
    is_unbilled_before_period boolean
)
language plpgsql stable rows 100 set plan_cache_mode = force_generic_plan set enable_nestloop = on as $$
#variable_conflict use_column
declare
    v_accounts text[] := coalesce(p_account_ids, array(select account_id from bua.bua_list_all_accounts(p_run_date)));
begin
    return query select * from (
        select a.account_id, s.site_id, a.fuel, a.jurisdiction, a.customer_class, a.plan_code,
               s.supply * datemultirange(daterange(r.period_start, r.period_end)) - coalesce(i.billed, '{}') as unbilled,
               i.last_billed_to,
               coalesce(not s.supply * datemultirange(bua.day_range(r.period_start, i.last_billed_to)) <@ i.billed, false),
               coalesce(i.is_last_estimated, false),
               not s.supply * datemultirange(daterange(null, r.period_start)) <@ coalesce(i.billed, '{}')
        from bua.run r
        join core.account a on a.open_date < r.period_end and coalesce(a.close_date, 'infinity') >= r.period_start
        cross join lateral (
            select min(s.site_id) as site_id,
                   coalesce(range_agg(s.own), datemultirange(bua.day_range(a.open_date, coalesce(a.close_date, 'infinity')))) as supply
            from bua.account_sites(array[a.account_id]) s
        ) s
        left join lateral (
            select range_agg(daterange(i.from_date, i.to_date, '[]')) as billed,
                   max(i.to_date) as last_billed_to,
                   (array_agg(i.is_estimated order by i.to_date desc, i.invoice_id))[1] as is_last_estimated
            from core.invoice i
            where i.account_id = a.account_id and i.origin = 'PLATFORM' and not i.is_reversed and i.issued_date <= r.as_at
        ) i on true
        where r.run_date = p_run_date and a.account_id = any (v_accounts)
    ) u
    where not isempty(u.unbilled);
end $$;
