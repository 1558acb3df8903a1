-- Market half-hours on the customer's clock.
-- Interval data is stamped in a fixed offset all year; bills, bill days and time of use follow the local clock. In
-- summer a Sydney bill day is therefore 23:00 to 23:00 market time, and the days on which the clocks change have 46
-- or 50 local half-hours although every market day has 48.

-- The half-hours of one market day (1 = the one that starts at 00:00), each with the local day that it belongs to,
-- the minute of that day at which it starts, and the kind of day that it is for time classes: a public holiday
-- counts as WEEKEND.
create or replace function core.local_half_hours(p_jurisdiction text, p_profile_date date)
returns table (half_hour integer, local_day date, local_minute integer, day_kind text)
language sql stable
begin atomic
    select clock.half_hour,
           clock.at::date,
           (extract(hour from clock.at) * 60 + extract(minute from clock.at))::integer,
           case when extract(isodow from clock.at) >= 6 or holiday.holiday_date is not null
                then 'WEEKEND' else 'WEEKDAY' end
      from (select h as half_hour,
                   (p_profile_date + (h - 1) * interval '30 minutes' - j.market_offset)
                       at time zone 'UTC' at time zone j.time_zone as at
              from core.jurisdiction j, generate_series(1, 48) h
             where j.jurisdiction = p_jurisdiction) clock
      left join core.public_holiday holiday
        on holiday.jurisdiction = p_jurisdiction and holiday.holiday_date = clock.at::date;
end;

-- A plan's time class at each half-hour of its weekdays and of its weekends; a plan without windows has no rows.
-- A window for the kind of day goes before one for ALL days.
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
