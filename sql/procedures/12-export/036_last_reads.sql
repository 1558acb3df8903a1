-- Purpose: when accounts were last read, and how: of their PRIMARY streams, or of the others where none of these has a read.
-- read_type is that of the latest read up to the end of the period: ESTIMATED, SUBSTITUTED (S or F) or ACTUAL; of an interval day
-- the least certain of its half-hours counts. last_read_date is the date of the latest index read that is actual, or the latest
-- interval day that is complete without an estimate. Interval days are those of the run's own copy; of a register that it does not
-- have, those of the snapshot. Reads that are not believed do not count. Inputs: run_date, accounts. Reads only. Its plan is made once a session.
create or replace function bua.last_reads(p_run_date date, p_account_ids text[])
returns table (account_id text, last_read_date date, read_type text)
language plpgsql stable rows 100 set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query with register as materialized (
        select s.account_id, s.stream_type <> 'PRIMARY' as is_other, s.read_type, s.occupied, m as meter_register_id,
               x.accrual_date, x.reads_start
        from bua.run x
        cross join bua.account_streams(p_account_ids) s
        cross join unnest(s.register_ids) m
        where x.run_date = p_run_date
    ),
    read as (
        select r.account_id, r.is_other, i.read_date, i.quality, i.quality = 'A' as is_actual
        from register r
        cross join lateral bua.platform_index_reads(p_run_date, array[r.meter_register_id], array[r.occupied]) i
        where r.read_type = 'BASIC' and not exists (
            select from bua.implausible_read n
            where (n.run_date, n.account_id, n.meter_register_id, n.read_date)
                  = (p_run_date, r.account_id, i.meter_register_id, i.read_date) and n.reason <> 'NEW_INDEX')
        union all
        select r.account_id, r.is_other, d.read_date, d.quality, d.is_actual
        from register r
        cross join lateral (
            (select u.profile_date as read_date, substring('ESFA' from '[' || u.qualities || ']') as quality, false as is_actual
             from bua.utility_profile u
             where u.run_date = p_run_date and u.meter_register_id = r.meter_register_id and u.profile_date <= r.accrual_date
               and r.occupied @> u.profile_date and u.missing_mask <> (1::bigint << 48) - 1
             order by u.profile_date desc limit 1)
            union all
            (select u.profile_date, null, true
             from bua.utility_profile u
             where u.run_date = p_run_date and u.meter_register_id = r.meter_register_id and u.profile_date <= r.accrual_date
               and r.occupied @> u.profile_date and u.excluded_mask = 0
             order by u.profile_date desc limit 1)
            union all
            (select a.from_date, case when bool_or(a.read_state = 'ESTIMATED') then 'E' else 'A' end, bool_and(a.read_state = 'ACTUAL')
             from core.aggregated_read a
             where a.meter_register_id = r.meter_register_id and a.origin = 'PLATFORM' and r.occupied @> a.from_date
               and a.from_date between r.reads_start and r.accrual_date
               and not exists (select from bua.utility_profile u
                               where u.run_date = p_run_date and u.meter_register_id = r.meter_register_id)
             group by a.from_date order by a.from_date desc limit 1)
        ) d
        where r.read_type = 'INTERVAL'
    )
    select account_id, max(read_date) filter (where is_actual),
           case (array_agg(quality order by read_date desc, position(quality in 'ESFA')) filter (where quality is not null))[1]
               when 'E' then 'ESTIMATED' when 'A' then 'ACTUAL' else 'SUBSTITUTED' end
    from (select *, min(is_other::integer) over (partition by account_id) as lead from read) r
    where is_other::integer = lead
    group by account_id;
end $$;
