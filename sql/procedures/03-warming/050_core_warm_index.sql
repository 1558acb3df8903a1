-- Purpose: warm an index: read all of its blocks into the buffer cache. Input: the index's name.
-- Definer's rights: pg_prewarm of an index is its owner's. Safe to rerun: reads only.
create or replace procedure bua.core_warm_index(p_relation text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform pg_prewarm(p_relation::regclass);
end $$;
