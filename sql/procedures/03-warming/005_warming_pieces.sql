-- Purpose: cut a relation into pieces that a worker reads in bounded time, and many workers side by side: every block of a
-- restored instance comes from S3 when it is first touched, and one reader gets some tens of megabytes a second.
-- Inputs: the relation; blocks of a piece (131,072 blocks of 8 kB are 1 GB). Reads only the catalogue. Returns payloads of
-- WARM_TABLE, WARM_PARTITION and WARM_INDEX in the order of their blocks; the last one, of a table, asks for statistics.
-- A partitioned table has no blocks of its own, an empty one has none either: one piece that only asks for statistics.
create or replace function bua.warming_pieces(p_relation regclass, p_blocks bigint default 131072) returns setof jsonb
language sql stable as $$
    with relation as (
        select format('%I.%I', n.nspname, c.relname) as name, c.relkind in ('r', 'p') as is_table,
               coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::bigint as blocks
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.oid = p_relation
    )
    select jsonb_build_object('relation', r.name)
           || case when r.blocks > 0
                   then jsonb_build_object('first_block', b, 'last_block', least(b + p_blocks, r.blocks) - 1)
                   else '{}' end
           || case when r.is_table and b + p_blocks >= r.blocks then '{"analyze": true}'::jsonb else '{}' end
    from relation r
    cross join generate_series(0, greatest(r.blocks - 1, 0), p_blocks) as b
    order by b
$$;
