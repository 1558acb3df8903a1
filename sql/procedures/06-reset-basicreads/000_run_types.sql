-- What this step fans out: see 00-common/020_run_types.sql.

-- ResetBasicRead: every account with an unbilled day; the work is the reset.
create or replace function bua.list_reset_basic_read(p_run_date date) returns table (item_key text, sort_key text)
language sql stable as $$ select u.account_id, '' from bua.bua_list_unbilled_accounts(p_run_date) u $$;

create or replace procedure bua.work_off_reset_basic_read(p_run_date date, p_items text[])
language sql as $$ call bua.reset_basic_reads(p_run_date, p_items) $$;
