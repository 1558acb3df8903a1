-- Purpose: read a piece of a table into memory, and analyse the table if the piece asks for it: an instance that was restored
-- from a snapshot fetches every block from S3 when it is first touched.
-- Input: a payload of bua.warming_pieces. Safe to rerun: changes statistics only.
-- Definer's rights: only the owner of a table may analyse it and read it into memory.
create or replace procedure bua.core_warm_table(p_payload jsonb)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    call bua.prewarm(p_payload);
    if p_payload ? 'analyze' then
        execute format('analyze %s', (p_payload ->> 'relation')::regclass);
    end if;
end $$;
