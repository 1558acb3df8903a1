-- Purpose: read a piece of a partition, as core_warm_table does. Input: a payload of bua.warming_pieces.
-- Safe to rerun: changes statistics only. Definer's rights: as core_warm_table.
create or replace procedure bua.core_warm_partition(p_payload jsonb)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if not (select relispartition from pg_class where oid = (p_payload ->> 'relation')::regclass) then
        raise exception '% is not a partition; call core_warm_table for it', p_payload ->> 'relation';
    end if;
    call bua.core_warm_table(p_payload);
end $$;
