-- Purpose: a plan's time class at each half-hour of its weekdays and of its weekends. A plan without windows has no rows.
-- A window for the kind of day precedes one for ALL days.
create or replace view core.plan_half_hour_class as
select distinct on (w.plan_code, kind.day_kind, minute.local_minute)
       w.plan_code, kind.day_kind, minute.local_minute, w.time_class
from core.time_class_window w
cross join (values ('WEEKDAY'), ('WEEKEND')) kind (day_kind)
cross join generate_series(0, 1410, 30) minute (local_minute)
where w.days in ('ALL', kind.day_kind)
  and minute.local_minute >= w.start_minute
  and minute.local_minute < w.end_minute
order by w.plan_code, kind.day_kind, minute.local_minute, w.days = 'ALL', w.time_class;
