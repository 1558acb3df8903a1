-- Purpose: create the missing basic reads of accounts: an estimated read at the end of every estimated month and of the
-- unbilled window, and the billable quantity, in kWh or MJ, of every unbilled period. A period ends with a month, where a
-- plan or price begins or ends, and where reads or delivered estimates end and our estimates begin. An index has no time of
-- day: where the plan of the day has no ANYTIME price, the quantity is divided among its time classes (bua.class_shares).
-- Reads that are not believed are recorded.
-- Inputs: run_date, accounts. Tables written: core.aggregated_read, core.meter_read (origin BUA, this run),
-- bua.implausible_read.
-- Safe to rerun: first removes what the run made before for these accounts.
create or replace procedure bua.bua_create_basic_read(p_run_date date, p_account_ids text[])
language plpgsql as $$
declare
    v_items     text[];
    -- Named, as in reset_basic_reads: the planner knows nothing of what the run makes.
    v_registers bigint[] := array(select meter_register_id from bua.account_streams(p_account_ids) where read_type = 'BASIC');
begin
    call bua.reset_basic_reads(p_run_date, p_account_ids);

    delete from bua.implausible_read where run_date = p_run_date and account_id = any (p_account_ids)
        and reason in ('INDEX', 'ESTIMATED_INDEX', 'NEW_INDEX');
    insert into bua.implausible_read (run_date, account_id, site_id, meter_register_id, read_date, value, limit_value, reason)
    with basic as materialized (
        select account_id, site_id, meter_register_id, occupied, row_number() over () as stream
        from bua.account_streams(p_account_ids) where read_type = 'BASIC'
    )
    select p_run_date, s.account_id, s.site_id, i.meter_register_id, i.read_date, i.index_value, i.limit_value, i.reason
    from (select array_agg(meter_register_id order by stream) as ids, array_agg(occupied order by stream) as occupied from basic) l
    cross join lateral bua.implausible_index_reads(p_run_date, l.ids, l.occupied) i
    join basic s using (stream);

    insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity, origin, run_date)
    with planned as materialized (
        select b.account_id, b.meter_register_id, b.local_date, b.read_state, b.quantity, m.stream_type, s.jurisdiction,
               o.plan_code, y.day_type, e.price_epoch
        from bua.basic_days(p_run_date, p_account_ids) b
        join core.meter_register m using (meter_register_id)
        join core.site s using (site_id)
        cross join lateral bua.plan_on(b.account_id, b.plan_code, b.local_date) o
        cross join lateral bua.day_type(s.jurisdiction, b.local_date) y
        cross join lateral (
            select count(*) filter (where i.valid_from <= b.local_date) + count(*) filter (where i.valid_to < b.local_date) as price_epoch
            from core.plan_item i where i.plan_code = o.plan_code
        ) e
        where b.quantity is not null
    ),
    day as (
        select b.*,
               case b.read_state when 'ESTIMATED' then (
                   select count(*) from core.meter_read r
                   where r.meter_register_id = b.meter_register_id and r.origin = 'PLATFORM' and r.read_date <= b.local_date
               ) end as read_epoch,
               b.local_date - (row_number() over (partition by b.account_id, b.meter_register_id, b.read_state, b.plan_code
                                                  order by b.local_date))::integer as island,
               -- Worked out once for the days that have them in common, and handed on by a window: not by a join, whose
               -- cost would be the square of the batch.
               case when row_number() over alike = 1 then (
                   select jsonb_object_agg(c.time_class, c.share)
                   from bua.class_shares(b.plan_code, b.stream_type, b.jurisdiction, b.local_date) c
               ) end as first_shares
        from planned b
        window alike as (partition by b.plan_code, b.stream_type, b.jurisdiction, b.day_type, b.price_epoch
                         order by b.account_id, b.meter_register_id, b.local_date)
    ),
    period as (
        select d.*, min(local_date) over p as from_date, max(local_date) over p as to_date,
               first_value(first_shares) over (partition by plan_code, stream_type, jurisdiction, day_type, price_epoch
                                               order by account_id, meter_register_id, local_date) as shares
        from day d
        window p as (partition by account_id, meter_register_id, read_state, plan_code, date_trunc('month', local_date),
                                  price_epoch, read_epoch, island)
    )
    select p.meter_register_id, p.from_date, p.to_date, coalesce(s.time_class, 'ANYTIME'), p.read_state,
           sum(p.quantity * coalesce(s.share::numeric, 1)), 'BUA', p_run_date
    from period p
    left join lateral jsonb_each_text(p.shares) s (time_class, share) on true
    group by p.account_id, p.meter_register_id, p.from_date, p.to_date, s.time_class, p.read_state;

    -- The index continues from the last read before the estimates: quantity divided by factor, modulo the register's
    -- digits. An account's reads depend on its own days alone, not on the other accounts of the batch.
    insert into core.meter_read (meter_register_id, read_date, index_value, quantity_factor, quality, origin, run_date)
    select e.meter_register_id, e.read_date,
           round(case when m.digits is null then e.index_value else mod(e.index_value, 10::numeric ^ m.digits) end, 3),
           e.quantity_factor, 'E', 'BUA', p_run_date
    from (
        select a.meter_register_id, s.days, a.to_date + 1 as read_date, l.quantity_factor,
               l.index_value + sum(a.quantity) over (partition by s.account_id, a.meter_register_id, l.read_date order by a.from_date)
                                   / l.quantity_factor as index_value
        from bua.account_streams(p_account_ids) s
        join core.aggregated_read a on a.meter_register_id = s.meter_register_id and s.days @> a.from_date
            and a.origin = 'BUA' and a.run_date = p_run_date and a.read_state = 'ESTIMATED' and a.meter_register_id = any (v_registers)
        left join lateral (
            select r.read_date, r.index_value, r.quantity_factor from core.meter_read r
            where r.meter_register_id = a.meter_register_id and r.origin = 'PLATFORM' and r.read_date <= a.from_date
              and not exists (select from bua.implausible_read i
                              where (i.run_date, i.account_id, i.meter_register_id, i.read_date)
                                    = (p_run_date, s.account_id, r.meter_register_id, r.read_date) and i.reason <> 'NEW_INDEX')
            order by r.read_date desc limit 1
        ) p on true
        cross join lateral (
            select coalesce(p.read_date, '-infinity') as read_date, coalesce(p.index_value, 0) as index_value,
                   coalesce(p.quantity_factor, 1) as quantity_factor
        ) l
        where s.read_type = 'BASIC'
    ) e
    join core.meter_register m using (meter_register_id)
    where not exists (select from core.meter_read r where r.meter_register_id = e.meter_register_id
                      and r.read_date = e.read_date and r.origin = 'PLATFORM')
      -- only the last read of a month: a price change ends a period, not a month
      and not exists (select from core.aggregated_read n
                      where n.meter_register_id = e.meter_register_id and n.origin = 'BUA' and n.run_date = p_run_date
                        and n.meter_register_id = any (v_registers)
                        and n.read_state = 'ESTIMATED' and n.from_date = e.read_date and e.days @> n.from_date
                        and extract(day from e.read_date) <> 1)
    on conflict do nothing;

    v_items := array(
        select unnest(p_account_ids) except
        select s.account_id from bua.account_streams(p_account_ids) s where s.read_type = 'BASIC');
    call bua.skip_work_items(p_run_date, 'BasicRead', v_items, 'No basic register');
end $$;
