-- Purpose: read the blocks of a piece into memory, as far as the relation still has them: a table that was emptied since
-- may have given its last blocks back. Input: a payload of bua.warming_pieces. Safe to rerun: changes nothing.
create or replace procedure bua.prewarm(p_payload jsonb)
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    v_relation regclass := p_payload ->> 'relation';
    v_first    bigint := p_payload ->> 'first_block';
    v_last     bigint := least((p_payload ->> 'last_block')::bigint,
                               pg_relation_size(v_relation) / current_setting('block_size')::bigint - 1);
begin
    if v_first <= v_last then
        perform pg_prewarm(v_relation, 'buffer', 'main', v_first, v_last);
    end if;
end $$;
