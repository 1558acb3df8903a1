-- Purpose: read all blocks of an index into memory. Input: the index's name. Safe to rerun: changes nothing.
-- Definer's rights: only the owner of an index may read it into memory.
create or replace procedure bua.core_warm_index(p_relation text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform pg_prewarm(p_relation::regclass);
end $$;
