-- Purpose: read a piece of an index into memory. Input: a payload of bua.warming_pieces. Safe to rerun: changes nothing.
-- Definer's rights: only the owner of an index may read it into memory.
create or replace procedure bua.core_warm_index(p_payload jsonb)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    call bua.prewarm(p_payload);
end $$;
