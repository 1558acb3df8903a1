-- What this step fans out: see 00-common/020_run_types.sql.

-- NEM12: every NMI that lacks interval reads. Python writes the files.
create or replace function bua.list_nem12(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$ select n.site_id, '' from bua.bua_list_profile_nmis(p_run_date) n $$;

create or replace procedure bua.reset_nem12(p_run_date date)
language plpgsql as $$
begin
    call bua.require_interval_days(p_run_date);
    call bua.analyze_run('micro_scalar', p_run_date);
    call bua.remove_nem12_reads(p_run_date);
end $$;
