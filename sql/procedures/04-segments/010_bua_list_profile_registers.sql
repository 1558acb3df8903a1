-- Purpose: all registers that profiles are made from: one row per register and per account that occupied its site, with
-- the market days, from_date to to_date inclusive, on which the register's reads count towards the account's segment.
-- Where the local clock is behind market time (South Australia in winter), the last bill day ends on the market day after
-- the accrual date. Where it is ahead, an account's first bill day begins on the market day before. Such a day is the
-- account's, unless another account occupies the site on it.
-- Inputs: run_date; optionally the sites and the segments. Reads only. Every call is planned for its own sites, as
-- bua_list_unbilled_accounts for its accounts.
create or replace function bua.bua_list_profile_registers(p_run_date date, p_site_ids text[] default null,
                                                          p_segments text[] default null)
returns table (site_id text, meter_register_id bigint, suffix text, segment text, from_date date, to_date date,
               account_id text)
language plpgsql stable rows 500 set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
    return query with occupied as (
        select s.site_id, m.meter_register_id, m.suffix, s.jurisdiction, a.account_id,
               concat_ws('|', s.jurisdiction, a.customer_class, m.stream_type) as segment,
               greatest(r.reads_start, o.from_date, a.open_date, m.start_date) as first_day,
               least(e.last_market_day, o.to_date, a.close_date, m.end_date) as last_day
        from bua.run r
        join core.meter_register m on m.read_type = 'INTERVAL' and (p_site_ids is null or m.site_id = any (p_site_ids))
        join core.site s on s.site_id = m.site_id and s.fuel = 'ELECTRICITY'
        join core.account_site o on o.site_id = s.site_id
        join core.account a on a.account_id = o.account_id
        cross join lateral (select max(d.profile_date) as last_market_day from bua.market_day d
                            where (d.jurisdiction, d.local_date) = (s.jurisdiction, r.accrual_date)) e
        where r.run_date = p_run_date
    )
    select o.site_id, o.meter_register_id, o.suffix, o.segment,
           case when f.profile_date < o.first_day and not bua.is_occupied(o.site_id, f.profile_date)
                then f.profile_date else o.first_day end,
           case when t.profile_date > o.last_day and not bua.is_occupied(o.site_id, t.profile_date)
                then t.profile_date else o.last_day end,
           o.account_id
    from occupied o
    cross join lateral (select min(d.profile_date) as profile_date from bua.market_day d
                        where (d.jurisdiction, d.local_date) = (o.jurisdiction, o.first_day)) f
    cross join lateral (select max(d.profile_date) as profile_date from bua.market_day d
                        where (d.jurisdiction, d.local_date) = (o.jurisdiction, o.last_day)) t
    where o.first_day <= o.last_day and (p_segments is null or o.segment = any (p_segments));
end $$;

-- Whether an account occupies the site on the day.
create or replace function bua.is_occupied(p_site_id text, p_date date) returns boolean
language sql stable as $$
    select exists (
        select from core.account_site o join core.account a using (account_id)
        where o.site_id = p_site_id and p_date >= greatest(o.from_date, a.open_date)
          and p_date <= least(coalesce(o.to_date, 'infinity'), coalesce(a.close_date, 'infinity')))
$$;
