-- Purpose: whose plan is valid at sites on which days, one row a day at most: of accounts that have a day in common, that of
-- the one that leaves first; of those that leave together, the last to come. Dates are inclusive.
-- Inputs: the sites. Reads only.
create or replace function core.site_plans(p_site_ids text[])
returns table (site_id text, plan_code text, from_date date, to_date date)
language sql stable as $$
    with stay as materialized (
        select o.site_id, o.account_id,
               daterange(greatest(o.from_date, a.open_date), least(o.to_date, a.close_date, 'infinity'), '[]') as days
        from core.account_site o
        join core.account a using (account_id)
        where o.site_id = any (p_site_ids)
          and greatest(o.from_date, a.open_date) <= least(o.to_date, a.close_date, 'infinity')
    ),
    own as materialized (
        select s.site_id, s.account_id, unnest(range_agg(datemultirange(s.days) - coalesce(other.days, '{}'))) as days
        from stay s
        cross join lateral (
            select range_agg(o.days) as days from stay o
            where o.site_id = s.site_id and o.account_id <> s.account_id and o.days && s.days
              and (upper(o.days), lower(s.days), o.account_id) < (upper(s.days), lower(o.days), s.account_id)
        ) other
        group by s.site_id, s.account_id
    )
    select o.site_id, p.plan_code, greatest(lower(o.days), p.from_date), least(upper(o.days) - 1, p.to_date)
    from own o
    join core.account_plans((select array_agg(distinct account_id) from own)) p
        on p.account_id = o.account_id and p.from_date < upper(o.days) and p.to_date >= lower(o.days)
$$;
