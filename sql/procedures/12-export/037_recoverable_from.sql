-- Purpose: the first day that may still be billed on a date to a customer who is not at fault. Inputs: jurisdiction, fuel, the
-- date. Reads only. No row where no limit is known. A table: so it becomes part of the statement that asks.
create or replace function bua.recoverable_from(p_jurisdiction text, p_fuel text, p_as_at date)
returns table (recoverable_from date)
language sql stable as $$
    select (p_as_at - make_interval(months => l.months))::date + 1
    from bua.back_billing_limit l
    where l.jurisdiction in (p_jurisdiction, '') and l.fuel = p_fuel and l.from_date <= p_as_at
    order by l.jurisdiction = '', l.from_date desc limit 1
$$;
