-- Purpose: what accounts used on each of their unbilled days, in kWh or MJ, as the invoicing counted it: of interval registers
-- the platform's rows of the day and this run's, reversals included; of basic registers their day's share (bua.basic_days),
-- whose time_class is null, because an index has none. The day of a change of meters is the new register's. plan_code is the
-- account's plan of the day.
-- Inputs: run_date, accounts. Reads only.
-- Reads are looked up register by register: the caller's joins are of another kind. Planned for the accounts that are asked for:
-- a planner that expects ten of them compares every stream of a part with every account of it.
create or replace function bua.account_day_units(p_run_date date, p_account_ids text[])
returns table (account_id text, local_date date, plan_code text, stream_type text, jurisdiction text, time_class text,
               read_state text, quantity numeric)
language plpgsql stable rows 100000 set enable_nestloop = on set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
    return query with metered as materialized (
        select u.account_id, p.plan_code, m.meter_register_id, m.stream_type, s.jurisdiction,
               u.unbilled * w.present * datemultirange(p.days) as days,
               case when exists (
                   select from core.meter_register n
                   where n.site_id = m.site_id and n.stream_type = m.stream_type
                     and n.start_date = m.end_date and n.start_date > m.start_date
               ) then m.end_date end as handed_over
        from bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u
        join bua.account_sites(p_account_ids) w on w.account_id = u.account_id
        join core.site s on s.site_id = w.site_id
        join core.meter_register m on m.site_id = w.site_id
        cross join lateral bua.plan_spans(u.account_id, u.plan_code) p
        where m.read_type = 'INTERVAL' and u.unbilled * w.present && p.days
    )
    select m.account_id, a.from_date, m.plan_code, m.stream_type, m.jurisdiction, a.time_class, a.read_state, a.quantity
    from metered m
    join core.aggregated_read a
        on a.meter_register_id = m.meter_register_id and m.days @> a.from_date
        and a.from_date >= lower(m.days) and a.from_date < upper(m.days) and a.from_date is distinct from m.handed_over
    where a.origin = 'PLATFORM' or a.run_date = p_run_date
    union all
    select b.account_id, b.local_date, b.plan_code, b.stream_type, b.jurisdiction, null, b.read_state, b.quantity
    from bua.basic_days(p_run_date, p_account_ids) b
    where b.quantity is not null;
end $$;
