-- Purpose: what failed in the run, with the accounts that it concerns: see bua.failed_items. Input: run_date. Reads only.
create or replace function bua.evidence_failed_items(p_run_date date)
returns table (run_type text, item_key text, account_id text, reason text)
language sql stable as $$
    select distinct f.run_type, f.item_key, f.account_id, f.reason from bua.failed_items(p_run_date) f
    where f.run_type not in ('Export', 'ExportEvidence')
$$;
