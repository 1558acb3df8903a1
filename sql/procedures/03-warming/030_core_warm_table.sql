-- Purpose: analyse a table, reading its blocks first: an instance restored from a snapshot fetches every block from
-- S3 at its first touch. Input: the table's name. A partitioned parent has no blocks, its partitions are warmed alone.
-- Definer's rights: ANALYZE and pg_prewarm are the owner's. Safe to rerun: changes statistics only.
create or replace procedure bua.core_warm_table(p_relation text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_relation regclass := p_relation::regclass;
begin
    if (select relkind from pg_class where oid = v_relation) = 'r' then
        perform pg_prewarm(v_relation);
    end if;
    execute format('analyze %s', v_relation);
end $$;
