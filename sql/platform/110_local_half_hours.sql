-- Purpose: the half-hours of a market day on the customer's clock. Interval data has a fixed offset from UTC all year;
-- bills, bill days and time of use follow the local clock. A Sydney bill day in summer is therefore 23:00 to 23:00 market
-- time, and a day on which the clocks change has 46 or 50 half-hours, although every market day has 48.
-- Returns each half-hour (1 starts at 00:00), its local day, the minute of that day at which it starts, and the kind of
-- day for time classes: a public holiday counts as WEEKEND.
-- Inputs: jurisdiction, market day. Reads only.
create or replace function core.local_half_hours(p_jurisdiction text, p_profile_date date)
returns table (half_hour integer, local_day date, local_minute integer, day_kind text)
language sql stable as $$
    select clock.half_hour,
           clock.at::date,
           (extract(hour from clock.at) * 60 + extract(minute from clock.at))::integer,
           case when extract(isodow from clock.at) >= 6 or holiday.holiday_date is not null
                then 'WEEKEND' else 'WEEKDAY' end
    from (
        select h as half_hour,
               (p_profile_date + (h - 1) * interval '30 minutes' - j.market_offset)
                   at time zone 'UTC' at time zone j.time_zone as at
        from core.jurisdiction j, generate_series(1, 48) h
        where j.jurisdiction = p_jurisdiction
    ) clock
    left join core.public_holiday holiday
        on holiday.jurisdiction = p_jurisdiction and holiday.holiday_date = clock.at::date
$$;
