-- Purpose: OLDER_READS of basic registers, in kWh or MJ: every actual span of the register and of those that it replaced: the
-- same suffix on another meter at the site, at another time, while the account occupied it. A register beside it has usage of
-- its own. A span never reaches across two meters.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar, rows without a method. Safe to rerun: changes no other row.
create or replace procedure bua.scalars_from_older_reads(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    with stream as materialized (
        select * from bua.account_streams(p_account_ids) where read_type = 'BASIC'
    ),
    pair as materialized (  -- before their spans are worked out
        select t.account_id, t.meter_register_id, t.profile_key, k.meter_register_id as other_id, k.occupied, row_number() over () as stream
        from bua.micro_scalar t
        join stream own on (own.account_id, own.meter_register_id) = (t.account_id, t.meter_register_id)
        join stream k
            on (k.account_id, k.site_id, k.stream_type, k.suffix) = (own.account_id, own.site_id, own.stream_type, own.suffix)
            and (k.meter_register_id = own.meter_register_id or bua.follow_each_other(k.occupied, own.occupied))
        where t.run_date = p_run_date and t.account_id = any (p_account_ids) and t.read_type = 'BASIC' and t.method is null
    ),
    older as materialized (
        select p.account_id, p.meter_register_id, min(x.from_date) as from_date, max(x.to_date) as to_date,
               sum(x.to_date - x.from_date) as days, sum(x.quantity) as usage, sum(x.macro) as macro
        from (select array_agg(other_id order by stream) as ids, array_agg(occupied order by stream) as occupied,
                     array_agg(profile_key order by stream) as keys from pair) l
        cross join lateral bua.actual_spans(p_run_date, l.ids, l.occupied, l.keys) x
        join pair p using (stream)
        where x.macro > 0
        group by 1, 2
    )
    update bua.micro_scalar s
    set method = 'OLDER_READS', scalar = r.usage / r.macro, reference_from = r.from_date, reference_to = r.to_date - 1,
        reference_days = r.days, usage_units = r.usage, macro_units = r.macro
    from older r
    where r.days >= (select bua.parameter('scalar_min_days')) and s.run_date = p_run_date and s.account_id = any (p_account_ids)
      and (s.account_id, s.meter_register_id) = (r.account_id, r.meter_register_id);
end $$;
