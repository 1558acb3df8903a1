-- Purpose: the accounts of a part of the evidence files: parameter evidence_accounts of them, in the order of their names.
-- Inputs: run_date, the part, from 1. Reads only.
create or replace function bua.evidence_accounts(p_run_date date, p_part integer) returns text[]
language sql stable as $$
    select coalesce(array_agg(a.account_id), '{}')
    from (
        select l.account_id from bua.bua_list_all_accounts(p_run_date) l
        order by l.account_id collate "C"
        limit bua.parameter('evidence_accounts') offset (p_part - 1) * bua.parameter('evidence_accounts')
    ) a
$$;
