-- Purpose: the days from p_from to p_to, both inclusive; empty when there are none. Inputs: two dates. Reads nothing.
create or replace function bua.day_range(p_from date, p_to date) returns daterange
language sql immutable as $$
    select case when p_to < p_from then 'empty'::daterange else daterange(p_from, p_to, '[]') end
$$;
