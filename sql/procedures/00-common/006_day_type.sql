-- Purpose: what kind of day a date is in a jurisdiction: HOLIDAY (a public holiday), WEEKEND or WEEKDAY.
-- Inputs: jurisdiction, date. Reads only. A table of one row: so it becomes part of the statement that asks.
create or replace function bua.day_type(p_jurisdiction text, p_date date) returns table (day_type text)
language sql stable as $$
    select case when exists (select from core.public_holiday h where h.jurisdiction = p_jurisdiction and h.holiday_date = p_date)
                    then 'HOLIDAY'
                when extract(isodow from p_date) >= 6 then 'WEEKEND'
                else 'WEEKDAY' end
$$;
