-- Purpose: OTHER_METER: a meter without history of its own follows, or is followed by, another at the site, often of the
-- other kind (an interval meter replaced a basic one). The usage is the customer's, whichever meter counted it: a basic
-- register's reads, as for READS or else OLDER_READS, or an interval stream's latest complete days, in kWh or MJ. Of the
-- meters of the same stream type those count that were read last. Meters beside each other add up, and meters beside this
-- one share evenly. Only the account's own days count.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, rows without a method. Safe to rerun: changes no other row.
create or replace procedure bua.scalars_from_other_meters(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    with stream as materialized (
        select * from bua.account_streams(p_account_ids)
    ),
    target as materialized (
        select t.*, (select count(*) from stream k
                     where (k.account_id, k.site_id, k.stream_type) = (t.account_id, t.site_id, t.stream_type)
                       and (k.meter_register_id = t.meter_register_id  -- itself, even if it was there for one day
                            or not bua.follow_each_other(k.occupied, t.occupied))) as sharing
        from stream t
        where exists (select from bua.micro_scalar s
                      where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.method is null
                        and (s.account_id, s.meter_register_id) = (t.account_id, t.meter_register_id))
    ),
    pair as materialized (  -- before their usage is worked out
        select t.account_id, t.meter_register_id, t.sharing, k.read_type, k.meter_register_id as other_id, k.register_ids, k.occupied, k.profile_key
        from target t
        join stream k
            on (k.account_id, k.site_id, k.stream_type) = (t.account_id, t.site_id, t.stream_type)
            and k.meter_register_id <> t.meter_register_id and bua.follow_each_other(k.occupied, t.occupied)
    ),
    history as materialized (
        select k.account_id, k.meter_register_id, k.sharing, k.occupied, r.*
        from pair k
        cross join lateral (
            select 1 as rank, b.from_date, b.to_date, b.days, b.usage, b.macro
            from bua.basic_reference(p_run_date, array[k.other_id], array[k.occupied], array[k.profile_key]) b
            where k.read_type = 'BASIC'
            union all
            select 2, b.from_date, b.to_date, b.days, b.usage, b.macro
            from bua.older_spans(p_run_date, array[k.other_id], array[k.occupied], array[k.profile_key]) b
            where k.read_type = 'BASIC'
            union all
            select 1, i.* from bua.latest_complete_days(p_run_date, k.register_ids, k.occupied, k.profile_key) i
            where k.read_type = 'INTERVAL'
            order by 1 limit 1
        ) r
    ),
    latest as materialized (
        select distinct on (account_id, meter_register_id) * from history
        order by account_id, meter_register_id, to_date desc, from_date
    ),
    summed as materialized (
        select l.account_id, l.meter_register_id, l.days, l.macro, min(h.from_date) as from_date, max(h.to_date) as to_date,
               sum(h.usage / h.macro) / l.sharing as scalar, sum(h.usage * l.days / h.days) / l.sharing as usage
        from latest l
        join history h
            on (h.account_id, h.meter_register_id) = (l.account_id, l.meter_register_id)
            and not bua.follow_each_other(h.occupied, l.occupied)
        group by l.account_id, l.meter_register_id, l.days, l.macro, l.sharing
    )
    update bua.micro_scalar s
    set method = 'OTHER_METER', scalar = v.scalar, reference_from = v.from_date, reference_to = v.to_date - 1,
        reference_days = v.days, usage_units = v.usage, macro_units = v.macro
    from summed v
    where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.method is null
      and (s.account_id, s.meter_register_id) = (v.account_id, v.meter_register_id);
end $$;
