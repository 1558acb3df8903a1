-- Purpose: how well each account is covered: its unbilled days times streams, and how many of them neither a read nor an
-- estimate reaches. Inputs: run_date, accounts. Reads only.
create or replace function bua.uncovered_days(p_run_date date, p_account_ids text[])
returns table (account_id text, stream_days bigint, uncovered_days bigint)
language sql stable as $$
    with stream_day as (
        select u.account_id, s.register_ids, s.read_type, d.local_date, s.stream_type
        from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
        join bua.account_streams(p_account_ids) s on s.account_id = u.account_id
        join bua.market_day d on d.jurisdiction = s.jurisdiction
            and d.local_date >= lower(u.unbilled) and d.local_date < upper(u.unbilled)
            and u.unbilled @> d.local_date and s.occupied @> d.local_date
        group by u.account_id, s.register_ids, s.read_type, d.local_date, s.stream_type
    )
    select d.account_id, count(*), count(*) filter (where not exists (
        select from core.aggregated_read a
        where a.meter_register_id = any (d.register_ids) and d.local_date between a.from_date and a.to_date
          and case when a.origin = 'BUA' then a.run_date = p_run_date else d.read_type = 'INTERVAL' end))
    from stream_day d
    group by d.account_id
$$;
