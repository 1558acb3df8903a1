-- Purpose: have the workflow engine read every index of the restored database, piece by piece.
-- Input: run_date. Tables written: core.workflow_instance (WARM_INDEX).
-- Safe to rerun: replaces the run's earlier instances.
create or replace procedure bua.core_warm_database_indexes(p_run_date date)
language sql as $$
    delete from core.workflow_instance where run_date = p_run_date and workflow_name = 'WARM_INDEX';
    insert into core.workflow_instance (workflow_name, payload, run_date)
    select 'WARM_INDEX', p.payload, p_run_date
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    cross join bua.warming_pieces(c.oid) with ordinality p (payload, piece)
    where n.nspname = 'core' and c.relkind = 'i'    -- a partitioned index ('I') has no blocks of its own
    order by c.relname, p.piece
$$;
