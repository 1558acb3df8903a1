-- Purpose: have the workflow engine read and analyse every table and partition of the restored database, piece by piece.
-- Partitioned tables come last: to analyse one is to sample all its partitions, which have been read by then.
-- Input: run_date. Tables written: core.workflow_instance (WARM_TABLE, WARM_PARTITION).
-- Safe to rerun: replaces the run's earlier instances.
create or replace procedure bua.core_warm_database_statistics(p_run_date date)
language sql as $$
    delete from core.workflow_instance where run_date = p_run_date and workflow_name in ('WARM_TABLE', 'WARM_PARTITION');
    insert into core.workflow_instance (workflow_name, payload, run_date)
    select case when c.relispartition then 'WARM_PARTITION' else 'WARM_TABLE' end, p.payload, p_run_date
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    cross join bua.warming_pieces(c.oid) with ordinality p (payload, piece)
    where n.nspname = 'core' and c.relkind in ('r', 'p')
    order by c.relkind = 'p', c.relname, p.piece
$$;
