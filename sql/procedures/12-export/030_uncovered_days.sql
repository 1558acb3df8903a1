-- Purpose: how well an account is covered: stream_days are its unbilled days, counted once for each of its streams, and the
-- days without a register that no stream goes on through; uncovered_days are those of them that have neither a read nor an
-- estimate; estimated_days are the account's unbilled days on which any stream has an estimate, each once.
-- has_unregistered: on an unbilled day a site of the account has no PRIMARY register, or none at all if it never has a PRIMARY
-- one: the register has ended and its successor is not known yet, or the first has not come yet.
-- Inputs: run_date, accounts. Reads only. Its plan is made once a session.
create or replace function bua.uncovered_days(p_run_date date, p_account_ids text[])
returns table (account_id text, stream_days bigint, uncovered_days bigint, estimated_days integer, has_unregistered boolean)
language plpgsql stable rows 100 set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query with stream as materialized (
        select u.account_id, s.site_id, u.unbilled * s.days as needed, s.register_ids, s.read_type
        from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
        join bua.account_streams(p_account_ids) s on s.account_id = u.account_id
        where u.unbilled && s.days
    ),
    unregistered as materialized (
        select * from (
            select w.account_id, w.site_id,
                   u.unbilled * w.own - coalesce(range_agg(l.days) filter (where r.stream_type = 'PRIMARY'), range_agg(l.days), '{}') as days
            from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
            join bua.account_sites(p_account_ids) w on w.account_id = u.account_id
            left join core.meter_register r on r.site_id = w.site_id
            left join lateral bua.day_range(r.start_date, coalesce(r.end_date, 'infinity')) l (days) on true
            group by w.account_id, w.site_id, u.unbilled, w.own
        ) d where not isempty(d.days)
    )
    select account_id, sum(bua.count_days(needed)), sum(coalesce(bua.count_days(needed - covered), 0)),
           coalesce(bua.count_days(range_agg(needed * estimated)), 0), account_id in (select n.account_id from unregistered n)
    from (
        select s.account_id, s.needed, coalesce(c.covered, '{}') as covered, coalesce(c.estimated, '{}') as estimated
        from stream s
        cross join lateral (
            select range_agg(r.days) as covered, range_agg(r.days) filter (where r.read_state = 'ESTIMATED') as estimated
            from (
                select a.origin, a.read_state, a.quantity, daterange(a.from_date, a.to_date, '[]') as days,
                       bool_or(a.origin = 'BUA' and a.quantity < 0) over (partition by a.meter_register_id, a.from_date) as is_reversed
                from core.aggregated_read a
                where a.meter_register_id = any (s.register_ids)
                  and a.from_date between lower(s.needed) and upper(s.needed)
                  and (a.origin = 'BUA' and a.run_date = p_run_date or a.origin = 'PLATFORM' and s.read_type = 'INTERVAL')
            ) r
            where r.origin = 'BUA' and r.quantity >= 0 or r.origin = 'PLATFORM' and not r.is_reversed
        ) c
        union all
        select n.account_id, n.days - coalesce(g.needed, '{}'), '{}', '{}'
        from unregistered n
        cross join lateral (
            select range_agg(s.needed) as needed from stream s where (s.account_id, s.site_id) = (n.account_id, n.site_id)
        ) g
        where not n.days <@ coalesce(g.needed, '{}')
    ) needed
    group by account_id;
end $$;
