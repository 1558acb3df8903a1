-- Purpose: how an interval stream's day divides among its half-hours, from its own complete days: of each day type the
-- shape_days nearest to the gap, within the scalar's reference. No row for a day type of fewer than shape_min_days: the
-- segment's shape is taken there. The shares of a day type add up to 1.
-- Inputs: run_date, accounts. Reads only.
create or replace function bua.own_shapes(p_run_date date, p_account_ids text[])
returns table (account_id text, meter_register_id bigint, gap smallint, day_type text, shares numeric[])
language sql stable as $$
    with day as materialized (
        select s.account_id, s.meter_register_id, s.gap, y.day_type, u.profile_date,
               greatest(s.first_missing - u.profile_date, u.profile_date - s.last_missing) as distance, u.half_hours, u.scale
        from bua.micro_scalar s
        join core.site t using (site_id)
        join bua.utility_profile u
            on u.run_date = s.run_date and u.meter_register_id = any (s.register_ids) and u.excluded_mask = 0
            and s.occupied @> u.profile_date and u.profile_date between s.reference_from and s.reference_to
        cross join lateral bua.day_type(t.jurisdiction, u.profile_date) y
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.method = 'RECENT_DAYS' and not s.is_giant
    ),
    nearest as (
        select d.*, row_number() over w as place, count(*) over (partition by account_id, meter_register_id, gap, day_type) as days
        from day d
        window w as (partition by account_id, meter_register_id, gap, day_type order by distance, profile_date)
    ),
    pile as (   -- days upon each other: a half-hour is added up within its pile, without the pile's names beside every value
        select n.account_id, n.meter_register_id, n.gap, n.day_type, array_agg(n.half_hours) as days,
               array_agg((10 ^ (6 - n.scale))::bigint) as factors  -- to whole micro-kWh
        from nearest n
        where n.place <= (select bua.parameter('shape_days')) and n.days >= (select bua.parameter('shape_min_days'))
        group by 1, 2, 3, 4
    )
    select p.account_id, p.meter_register_id, p.gap, p.day_type, s.shares
    from pile p
    cross join lateral (
        select array_agg(v.value / v.total order by v.h) as shares
        from (
            select h, sum(p.days[d][h] * p.factors[d]) as value, sum(sum(p.days[d][h] * p.factors[d])) over () as total
            from generate_series(1, 48) h cross join generate_subscripts(p.days, 1) d
            group by 1
        ) v
        where v.total > 0
    ) s
    where s.shares is not null
$$;
