-- Purpose: which of a plan's items prices a stream. Input: the stream type. Reads nothing.
create or replace function core.priced_item(p_stream_type text) returns text
language sql immutable as $$
    select case p_stream_type when 'PRIMARY' then 'USAGE' when 'CONTROL' then 'CONTROL' when 'SOLAR' then 'FEED_IN' end
$$;
