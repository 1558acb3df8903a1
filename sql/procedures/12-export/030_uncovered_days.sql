-- Purpose: how well an account is covered: stream_days are its unbilled days, counted once for each of its streams, and the
-- days without a register that no stream goes on through; uncovered_days are those of them that have neither a read nor an
-- estimate; estimated_days are the account's unbilled days on which any stream has an estimate, each once.
-- Inputs: run_date, accounts. Reads only.
create or replace function bua.uncovered_days(p_run_date date, p_account_ids text[])
returns table (account_id text, stream_days bigint, uncovered_days bigint, estimated_days integer)
language sql stable as $$
    with stream as materialized (
        select u.account_id, s.site_id, u.unbilled * s.days as needed, s.register_ids, s.read_type
        from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
        join bua.account_streams(p_account_ids) s on s.account_id = u.account_id
        where u.unbilled && s.days
    )
    select account_id, sum(bua.count_days(needed)), sum(coalesce(bua.count_days(needed - covered), 0)),
           coalesce(bua.count_days(range_agg(needed * estimated)), 0)
    from (
        select s.account_id, s.needed, coalesce(c.covered, '{}') as covered, coalesce(c.estimated, '{}') as estimated
        from stream s
        cross join lateral (
            select range_agg(daterange(a.from_date, a.to_date, '[]')) as covered,
                   range_agg(daterange(a.from_date, a.to_date, '[]')) filter (where a.read_state = 'ESTIMATED') as estimated
            from core.aggregated_read a
            where a.meter_register_id = any (s.register_ids)
              and a.from_date between lower(s.needed) and upper(s.needed)
              and (a.origin = 'BUA' and a.run_date = p_run_date and a.quantity >= 0
                   or a.origin = 'PLATFORM' and s.read_type = 'INTERVAL'
                      and not exists (select from core.aggregated_read v   -- reversed
                                      where v.meter_register_id = a.meter_register_id and v.from_date = a.from_date
                                        and v.origin = 'BUA' and v.run_date = p_run_date and v.quantity < 0))
        ) c
        union all
        select n.account_id, n.days - coalesce(g.needed, '{}'), '{}', '{}'
        from bua.unregistered_days(p_run_date, p_account_ids) n
        cross join lateral (
            select range_agg(s.needed) as needed from stream s where (s.account_id, s.site_id) = (n.account_id, n.site_id)
        ) g
        where not n.days <@ coalesce(g.needed, '{}')
    ) needed
    group by account_id
$$;
