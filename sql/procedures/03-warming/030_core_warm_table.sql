-- Purpose: analyse a table after reading its blocks: an instance that was restored from a snapshot fetches every block
-- from S3 when it is first touched. A partitioned table has no blocks of its own: its partitions are warmed one by one.
-- Input: the table's name. Safe to rerun: changes statistics only.
-- Definer's rights: only the owner of a table may analyse it and read it into memory.
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
