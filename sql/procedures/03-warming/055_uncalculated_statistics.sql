-- Purpose: the table and its partitions whose statistics have not been calculated in this database: the whole first, since
-- to analyse it is to analyse its partitions too. Input: the table. Reads only.
create or replace function bua.uncalculated_statistics(p_table regclass) returns setof text
language sql stable as $$
    select t.relid::regclass::text
    from pg_catalog.pg_partition_tree(p_table) t
    where not exists (select from bua.relation_statistics s where s.relation = t.relid::regclass::text)
    order by t.level, t.relid::regclass::text
$$;
