-- Purpose: the unbilled days on which a site of the account has no PRIMARY register, or none at all if it never has a
-- PRIMARY one: the register has ended and its successor is not known yet, or the first has not come yet.
-- Inputs: run_date, accounts. Reads only.
create or replace function bua.unregistered_days(p_run_date date, p_account_ids text[])
returns table (account_id text, site_id text, days datemultirange)
language sql stable as $$
    select * from (
        select w.account_id, w.site_id,
               u.unbilled * w.own - coalesce(range_agg(l.days) filter (where r.stream_type = 'PRIMARY'), range_agg(l.days), '{}') as days
        from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
        join bua.account_sites(p_account_ids) w on w.account_id = u.account_id
        left join core.meter_register r on r.site_id = w.site_id
        left join lateral bua.day_range(r.start_date, coalesce(r.end_date, 'infinity')) l (days) on true
        group by w.account_id, w.site_id, u.unbilled, w.own
    ) d where not isempty(d.days)
$$;
