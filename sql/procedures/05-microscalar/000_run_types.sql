-- What this step fans out: see 00-common/020_run_types.sql.

-- MicroScalar: every account with an unbilled day.
create or replace function bua.list_micro_scalar(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$ select u.account_id, '' from bua.bua_list_unbilled_accounts(p_run_date) u $$;

create or replace procedure bua.reset_micro_scalar(p_run_date date)
language plpgsql as $$
begin
    call bua.require_interval_days(p_run_date);
    call bua.truncate_run('micro_scalar', p_run_date);
    call bua.truncate_run('read_difference', p_run_date);
end $$;

create or replace procedure bua.work_off_micro_scalar(p_run_date date, p_items text[])
language sql as $$ call bua.bua_create_invoice_scalar(p_run_date, p_items) $$;
