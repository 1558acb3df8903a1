-- Purpose: the mean 48 half-hours, in kWh and by day type, of streams that follow no profile, over the reference days
-- of each gap. A day type without a reference day has the mean of all days. Inputs: run_date, accounts. Reads only.
create or replace function bua.giant_half_hours(p_run_date date, p_account_ids text[])
returns table (account_id text, meter_register_id bigint, gap smallint, day_type text, half_hours numeric[])
language sql stable as $$
    with day as materialized (
        select s.account_id, s.meter_register_id, s.gap, y.day_type, u.half_hours, u.scale
        from bua.micro_scalar s
        join core.site t using (site_id)
        join bua.utility_profile u
            on u.run_date = s.run_date and u.meter_register_id = any (s.register_ids) and u.excluded_mask = 0
            and s.occupied @> u.profile_date and u.profile_date between s.reference_from and s.reference_to
        cross join lateral bua.day_type(t.jurisdiction, u.profile_date) y
        where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.read_type = 'INTERVAL'
          and s.method in ('GIANT_DAILY_MEAN', 'OWN_DAILY_MEAN')
    ),
    reference as (
        select d.account_id, d.meter_register_id, d.gap, d.day_type, v.h, v.value / 10::numeric ^ d.scale as value
        from day d cross join unnest(d.half_hours) with ordinality as v (value, h)
    ),
    mean as (
        select account_id, meter_register_id, gap, day_type, h, avg(value) as value from reference
        group by grouping sets ((account_id, meter_register_id, gap, day_type, h), (account_id, meter_register_id, gap, h))
    )
    select a.account_id, a.meter_register_id, a.gap, t, array_agg(coalesce(m.value, a.value) order by a.h)
    from mean a
    cross join unnest(array['WEEKDAY', 'WEEKEND', 'HOLIDAY']) t
    left join mean m on (m.account_id, m.meter_register_id, m.gap, m.h, m.day_type) = (a.account_id, a.meter_register_id, a.gap, a.h, t)
    where a.day_type is null
    group by a.account_id, a.meter_register_id, a.gap, t
$$;
