-- Purpose: at which sites accounts are, and on which days. An account may leave a site and come back: days are multiranges.
-- A day that several accounts have at a site counts for one of them, so that nothing is accrued twice: for the account that
-- leaves first (the day of a move is the day of the one that moves out); of accounts that leave together, for the one that
-- came last. Nothing decides between accounts that are there on exactly the same days: the days count for both, and are
-- flagged. Inputs: the accounts. Reads only.
create or replace function bua.account_sites(p_account_ids text[])
returns table (
    account_id text, site_id text,
    present datemultirange,             -- all days between the account's dates at the site
    own datemultirange,                 -- those of them that count for the account
    contested datemultirange            -- those of them that count for another account as well
)
language sql stable as $$
    select a.account_id, o.site_id, range_agg(s.days), range_agg(datemultirange(s.days) - coalesce(other.days, '{}')),
           range_agg(coalesce(other.same_days, '{}'))
    from core.account a
    join core.account_site o on o.account_id = a.account_id
    cross join lateral bua.stay(a.open_date, a.close_date, o.from_date, o.to_date) s (days)
    cross join lateral (
        select range_agg(t.days) filter (where (upper(t.days), lower(s.days)) < (upper(s.days), lower(t.days))) as days,
               range_agg(t.days) filter (where t.days = s.days) as same_days
        from core.account_site x
        join core.account b on b.account_id = x.account_id
        cross join lateral bua.stay(b.open_date, b.close_date, x.from_date, x.to_date) t (days)
        where x.site_id = o.site_id and x.account_id <> a.account_id and t.days && s.days
    ) other
    where a.account_id = any (p_account_ids)
    group by a.account_id, o.site_id
$$;

-- The days of one row of core.account_site, within its account's life.
create or replace function bua.stay(p_open date, p_close date, p_from date, p_to date) returns daterange
language sql immutable as $$
    select bua.day_range(greatest(p_open, p_from), least(coalesce(p_close, 'infinity'), coalesce(p_to, 'infinity')))
$$;
