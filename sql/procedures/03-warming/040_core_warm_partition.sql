-- Purpose: analyse a partition after reading its blocks, as core_warm_table does. Input: the partition's name.
-- Safe to rerun: changes statistics only. Definer's rights: as core_warm_table.
create or replace procedure bua.core_warm_partition(p_relation text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if not (select relispartition from pg_class where oid = p_relation::regclass) then
        raise exception '% is not a partition; call core_warm_table for it', p_relation;
    end if;
    call bua.core_warm_table(p_relation);
end $$;
