-- Purpose: calculate the statistics of one relation. A sample is 300 blocks for each unit of the statistics target, cold ones
-- of a restored database. A partitioned table is sampled once for itself and once for every partition, so it has a tenth
-- of the usual target; its partitions have their full one when their turn comes.
-- Input: the relation. Tables written: bua.relation_statistics. Safe to rerun: changes statistics only.
create or replace procedure bua.calculate_statistics(p_relation text)
language plpgsql as $$
declare
    v_target text := current_setting('default_statistics_target');
begin
    if (select relkind from pg_catalog.pg_class where oid = p_relation::regclass) = 'p' then
        perform set_config('default_statistics_target', '10', true);
    end if;
    execute format('analyze %s', p_relation::regclass);
    perform set_config('default_statistics_target', v_target, true);
    insert into bua.relation_statistics (relation) values (p_relation) on conflict do nothing;
end $$;
