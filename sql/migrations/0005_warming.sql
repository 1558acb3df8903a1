-- pg_prewarm reads blocks of a table or an index into memory. A snapshot brings it only if production happens to use it.
create extension if not exists pg_prewarm schema public;

-- Relations whose statistics restore has calculated in this database: it goes from one to the next, and may be interrupted.
create table bua.relation_statistics (
    relation        text primary key,
    calculated_at   timestamptz not null default now()
);
