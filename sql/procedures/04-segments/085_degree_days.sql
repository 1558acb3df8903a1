-- Purpose: the degree-days of every gas zone: how many degrees C a day's mean temperature is below degree_base, the point where
-- heating begins. Up to degree_hole_days in a row without a temperature lie on the line between the days beside them; after the
-- last temperature they are as that. A zone without temperatures has no rows; neither has any where the platform has no table
-- of them. Input: run_date. Reads only.
create or replace function bua.degree_days(p_run_date date)
returns table (jurisdiction text, node text, profile_date date, degree_days numeric)
language plpgsql stable as $$
begin
    if to_regclass('core.temperature') is null then
        return;
    end if;
    return query
    with known as (
        select t.jurisdiction, t.node, t.temperature_date as day, greatest(p.degree_base - t.mean_c, 0) as degrees,
               lead(t.temperature_date) over w as next_day, lead(greatest(p.degree_base - t.mean_c, 0)) over w as next_degrees,
               r.accrual_date, p.hole_days
        from core.temperature t
        join bua.run r on r.run_date = p_run_date and t.temperature_date between r.profile_start and r.accrual_date
        cross join (select bua.parameter('degree_base') as degree_base, bua.parameter('degree_hole_days')::integer as hole_days) p
        window w as (partition by t.jurisdiction, t.node order by t.temperature_date)
    )
    select k.jurisdiction, k.node, d::date,
           k.degrees + coalesce((k.next_degrees - k.degrees) * (d::date - k.day) / (k.next_day - k.day), 0)
    from known k
    cross join lateral generate_series(
        k.day::timestamp,
        case when k.next_day is null then least(k.accrual_date, k.day + k.hole_days)
             when k.next_day - k.day - 1 <= k.hole_days then k.next_day - 1
             else k.day end::timestamp,
        interval '1 day') d;
end $$;
