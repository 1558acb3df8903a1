-- Purpose: is_vacant: interval streams of which no day was used in the vacant_days before the gap, though they were read
-- then. Of basic registers scalars_of_own_season knows it.
-- Inputs: run_date, accounts. Tables written: bua.micro_scalar. Safe to rerun: marks the same rows.
create or replace procedure bua.mark_vacant(p_run_date date, p_account_ids text[])
language plpgsql as $$
begin
    update bua.micro_scalar s set is_vacant = true
    from (
        select z.account_id, z.meter_register_id, z.gap
        from (
            select m.*, m.first_missing - (select bua.parameter('vacant_days'))::integer as since
            from bua.micro_scalar m
            where m.run_date = p_run_date and m.account_id = any (p_account_ids) and m.read_type = 'INTERVAL' and m.scalar = 0
        ) z
        join bua.utility_profile u
            on u.run_date = z.run_date and u.meter_register_id = any (z.register_ids) and u.excluded_mask = 0
            and u.profile_date between z.since - (select bua.parameter('scalar_min_days'))::integer and z.first_missing
            and z.occupied @> u.profile_date
        group by z.account_id, z.meter_register_id, z.gap, z.since
        having not bool_or(u.day_total > 0) and min(u.profile_date) <= z.since
    ) v
    where s.run_date = p_run_date and s.account_id = any (p_account_ids)
      and (s.account_id, s.meter_register_id, s.gap) = (v.account_id, v.meter_register_id, v.gap);
end $$;
