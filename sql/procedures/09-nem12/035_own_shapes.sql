-- Purpose: how an interval stream's day divides among its half-hours, from its own complete days: of each day type the
-- shape_days nearest to the gap, within the scalar's reference. No row for a day type of fewer than shape_min_days: the
-- segment's shape is taken there. The shares of a day type add up to 1.
-- Inputs: run_date, accounts. Reads only.
create or replace function bua.own_shapes(p_run_date date, p_account_ids text[])
returns table (account_id text, meter_register_id bigint, gap smallint, day_type text, shares numeric[])
language sql stable as $$
    with day as materialized (
        select s.account_id, s.meter_register_id, s.gap, y.day_type, u.profile_date,
               greatest(s.first_missing - u.profile_date, u.profile_date - s.last_missing) as distance,
               u.half_hours as h, (10 ^ (6 - u.scale))::bigint as m   -- short names for what is written 48 times below
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
    summed as (   -- whole micro-kWh; written out, because days of 48 rows each would be sorted by the half-hour
        select n.account_id, n.meter_register_id, n.gap, n.day_type,
               array[sum(m * h[1]), sum(m * h[2]), sum(m * h[3]), sum(m * h[4]), sum(m * h[5]), sum(m * h[6]),
                     sum(m * h[7]), sum(m * h[8]), sum(m * h[9]), sum(m * h[10]), sum(m * h[11]), sum(m * h[12]),
                     sum(m * h[13]), sum(m * h[14]), sum(m * h[15]), sum(m * h[16]), sum(m * h[17]), sum(m * h[18]),
                     sum(m * h[19]), sum(m * h[20]), sum(m * h[21]), sum(m * h[22]), sum(m * h[23]), sum(m * h[24]),
                     sum(m * h[25]), sum(m * h[26]), sum(m * h[27]), sum(m * h[28]), sum(m * h[29]), sum(m * h[30]),
                     sum(m * h[31]), sum(m * h[32]), sum(m * h[33]), sum(m * h[34]), sum(m * h[35]), sum(m * h[36]),
                     sum(m * h[37]), sum(m * h[38]), sum(m * h[39]), sum(m * h[40]), sum(m * h[41]), sum(m * h[42]),
                     sum(m * h[43]), sum(m * h[44]), sum(m * h[45]), sum(m * h[46]), sum(m * h[47]), sum(m * h[48])] as half_hours
        from nearest n
        where n.place <= (select bua.parameter('shape_days')) and n.days >= (select bua.parameter('shape_min_days'))
        group by 1, 2, 3, 4
    )
    select s.account_id, s.meter_register_id, s.gap, s.day_type, v.shares
    from summed s
    cross join lateral (select sum(value) as total from unnest(s.half_hours) value) t
    cross join lateral (
        select array_agg(value / t.total order by h) as shares from unnest(s.half_hours) with ordinality v (value, h)
    ) v
    where t.total > 0
$$;
