-- Purpose: the unbilled windows of a batch, both dates inclusive. Input: the batch's payload,
-- {"run_date": ..., "accounts": [{"account_id": ..., "windows": [[from, to], ...]}, ...]}. Reads nothing else.
create or replace function core.unbilled_windows(p_payload jsonb)
returns table (account_id text, from_date date, to_date date)
language sql stable rows 100 as $$
    select a.account ->> 'account_id', (w.dates ->> 0)::date, (w.dates ->> 1)::date
    from jsonb_array_elements(p_payload -> 'accounts') a (account)
    cross join lateral jsonb_array_elements(a.account -> 'windows') w (dates)
$$;
