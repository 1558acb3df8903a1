-- Purpose: whether two meters were there one after the other; both may have the day of the exchange. Otherwise they are
-- beside each other. Inputs: the days of each. Reads nothing.
create or replace function bua.follow_each_other(p_one datemultirange, p_other datemultirange) returns boolean
language sql immutable as $$
    select isempty(p_one * p_other) or lower(p_one * p_other) + 1 = upper(p_one * p_other)
$$;
