-- Purpose: how a basic register's day is divided where the plan prices its stream by time class only: in proportion to the
-- hours of the day, on the local clock, that the plan's windows give to each class that is priced. A window for the kind of
-- day precedes one for ALL days; a public holiday counts as WEEKEND. No row where the plan has an ANYTIME price on the day,
-- or no priced class: the units are then ANYTIME. Shares add up to 1.
-- Inputs: the plan; the stream type; the jurisdiction; the day. Reads only.
create or replace function bua.class_shares(p_plan_code text, p_stream_type text, p_jurisdiction text, p_date date)
returns table (time_class text, share numeric)
language sql stable as $$
    with kind as materialized (
        select case t.day_type when 'WEEKDAY' then 'WEEKDAY' else 'WEEKEND' end as days from bua.day_type(p_jurisdiction, p_date) t
    ),
    priced as materialized (
        select distinct i.time_class from core.plan_item i
        where i.plan_code = p_plan_code
          and i.item_type = bua.usage_item(p_stream_type)
          and p_date between i.valid_from and coalesce(i.valid_to, 'infinity')
    ),
    half_hour as (
        select w.time_class
        from kind
        cross join generate_series(0, 1410, 30) minute
        cross join lateral (
            select w.time_class from core.time_class_window w
            where w.plan_code = p_plan_code and minute >= w.start_minute and minute < w.end_minute
              and w.days in ('ALL', kind.days)
            order by w.days = 'ALL', w.time_class limit 1
        ) w
        where not exists (select from priced where priced.time_class = 'ANYTIME')
    )
    select h.time_class, count(*) / sum(count(*)) over ()
    from half_hour h join priced using (time_class)
    group by h.time_class
$$;
