-- Purpose: the segments and market days, both inclusive, of such work items: an index finds a message's days by them. Inputs: the
-- items. Reads nothing.
create or replace function bua.segment_months(p_items text[]) returns table (segment text, first_day date, last_day date)
language sql immutable as $$
    select left(i, -8), d::date, (d + interval '1 month')::date - 1
    from unnest(p_items) i cross join lateral (select to_date(right(i, 7), 'YYYY-MM')) m (d)
$$;
