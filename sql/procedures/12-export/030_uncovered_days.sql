-- Purpose: how well an account is covered: stream_days are its unbilled days, counted once for each of its streams;
-- uncovered_days are those of them that have neither a read nor an estimate. Inputs: run_date, accounts. Reads only.
create or replace function bua.uncovered_days(p_run_date date, p_account_ids text[])
returns table (account_id text, stream_days bigint, uncovered_days bigint)
language sql stable as $$
    with stream as materialized (
        select u.account_id, u.unbilled * datemultirange(s.occupied) as needed, s.register_ids, s.read_type
        from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
        join bua.account_streams(p_account_ids) s on s.account_id = u.account_id
        where u.unbilled && s.occupied
    )
    select s.account_id, sum(bua.count_days(s.needed)), sum(coalesce(bua.count_days(s.needed - coalesce(c.covered, '{}')), 0))
    from stream s
    cross join lateral (
        select range_agg(daterange(a.from_date, a.to_date, '[]')) as covered
        from core.aggregated_read a
        where a.meter_register_id = any (s.register_ids)
          and a.from_date between lower(s.needed) and upper(s.needed)
          and (a.origin = 'BUA' and a.run_date = p_run_date and a.quantity >= 0
               or a.origin = 'PLATFORM' and s.read_type = 'INTERVAL'
                  and not exists (select from core.aggregated_read v   -- reversed
                                  where v.meter_register_id = a.meter_register_id and v.from_date = a.from_date
                                    and v.origin = 'BUA' and v.run_date = p_run_date and v.quantity < 0))
    ) c
    group by s.account_id
$$;
