-- Purpose: open the staging table of one load, which is filled by COPY and aggregated in the same transaction.
-- Tables written: pg_temp.interval_day, a row per site, suffix and market day. half_hours are integers of kWh x 10^scale;
-- qualities has one of A, S, F (known), E (estimated), N (missing) per half-hour. Safe to rerun: replaces the table.
create or replace procedure core.stage_interval_days()
language plpgsql set client_min_messages = warning as $$
begin
    drop table if exists pg_temp.interval_day;
    create temporary table interval_day (
        site_id         text not null,
        suffix          text not null,
        profile_date    date not null,
        scale           smallint not null,
        half_hours      integer[] not null check (cardinality(half_hours) = 48),
        qualities       text not null check (qualities ~ '^[ASFEN]{48}$'),
        all_known       boolean not null generated always as (qualities !~ '[EN]') stored,
        primary key (site_id, suffix, profile_date)
    ) on commit drop;
end $$;
