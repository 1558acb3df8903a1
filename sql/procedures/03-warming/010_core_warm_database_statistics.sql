-- Purpose: have the workflow engine analyse every table and partition of the restored database.
-- Input: run_date. Tables written: core.workflow_instance (WARM_TABLE, WARM_PARTITION).
-- Safe to rerun: replaces the run's earlier instances.
create or replace procedure bua.core_warm_database_statistics(p_run_date date)
language sql as $$
    delete from core.workflow_instance where run_date = p_run_date and workflow_name in ('WARM_TABLE', 'WARM_PARTITION');
    insert into core.workflow_instance (workflow_name, payload, run_date)
    select case when c.relispartition then 'WARM_PARTITION' else 'WARM_TABLE' end,
           jsonb_build_object('relation', format('%I.%I', n.nspname, c.relname)), p_run_date
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'core' and c.relkind in ('r', 'p')
    order by c.relname
$$;
