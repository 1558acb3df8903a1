-- Purpose: the item of a plan that prices the units of a stream. Input: PRIMARY, CONTROL or SOLAR. Reads nothing.
create or replace function bua.usage_item(p_stream_type text) returns text
language sql immutable as $$
    select case p_stream_type when 'PRIMARY' then 'USAGE' when 'CONTROL' then 'CONTROL' else 'FEED_IN' end
$$;
