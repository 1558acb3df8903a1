-- Run types. A step's folder says in its first file, 000_run_types.sql, what the step fans out; these routines find it there
-- by name. For the run type MicroScalar they are
--   bua.list_micro_scalar(run_date) returns (item_key, sort_key)   what there is to do; sort_key keeps neighbours in one batch
--   bua.reset_micro_scalar(run_date)                               optional: removes what an earlier attempt wrote
--   bua.work_off_micro_scalar(run_date, items)                     the work; absent where it needs AWS and Python does it
-- catalogue.yaml says which function works a run type off. Nothing else names it.

-- The part of those names that a run type gives: SegmentJurisdictionFix is segment_jurisdiction_fix, NEM12 is nem12.
create or replace function bua.snake_case(p_run_type text) returns text
language sql immutable as $$ select lower(regexp_replace(p_run_type, '([a-z0-9])([A-Z])', '\1_\2', 'g')) $$;

-- Purpose: what a run type has to do. Inputs: run_date, run type. Reads only. An unknown run type is refused.
create or replace function bua.list_work_items(p_run_date date, p_run_type text)
returns table (item_key text, sort_key text)
language plpgsql stable as $$
begin
    if to_regprocedure(format('bua.%I(date)', 'list_' || bua.snake_case(p_run_type))) is null then
        raise exception 'there is no run type %: no step''s 000_run_types.sql has bua.list_%(date)',
            p_run_type, bua.snake_case(p_run_type);
    end if;
    return query execute format('select l.item_key, l.sort_key from bua.%I($1) l', 'list_' || bua.snake_case(p_run_type))
        using p_run_date;
end $$;

-- Purpose: remove what an earlier attempt of a run type wrote, before it is planned anew. Run types without a reset replace
-- their own rows item by item. Inputs: run_date, run type. Definer's rights: a reset truncates.
create or replace procedure bua.reset_run_type(p_run_date date, p_run_type text)
language plpgsql security definer set search_path = bua, pg_temp as $$
begin
    if to_regprocedure(format('bua.%I(date)', 'reset_' || bua.snake_case(p_run_type))) is not null then
        execute format('call bua.%I($1)', 'reset_' || bua.snake_case(p_run_type)) using p_run_date;
    end if;
end $$;

-- Whether a run type's work is SQL alone.
create or replace function bua.is_worked_in_sql(p_run_type text) returns boolean
language sql stable as $$
    select to_regprocedure(format('bua.%I(date, text[])', 'work_off_' || bua.snake_case(p_run_type))) is not null
$$;

-- Purpose: do the work of claimed items, for run types whose work is SQL alone. Inputs: run_date, run type, items.
-- Tables written: those of the run type's own routine, which says why a rerun is safe.
create or replace procedure bua.work_off(p_run_date date, p_run_type text, p_items text[])
language plpgsql as $$
begin
    execute format('call bua.%I($1, $2)', 'work_off_' || bua.snake_case(p_run_type)) using p_run_date, p_items;
end $$;
