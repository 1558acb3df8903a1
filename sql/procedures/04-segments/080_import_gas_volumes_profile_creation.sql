-- Purpose: gas profiles: the market's daily volume of every distribution zone, absent days filled from the nearest
-- equivalent day (same day type within the season, then last year's), as electricity profiles are.
-- Input: run_date. Tables written: bua.gas_profile. Safe to rerun: replaces its rows.
create or replace procedure bua.import_gas_volumes_profile_creation(p_run_date date)
language plpgsql as $$
begin
    call bua.truncate_run('gas_profile', p_run_date);

    insert into bua.gas_profile (run_date, jurisdiction, node, profile_date, volume_mj)
    select p_run_date, v.jurisdiction, v.node, v.volume_date, v.volume_mj
    from bua.run r join core.gas_volume v on v.volume_date between r.profile_start and r.accrual_date
    where r.run_date = p_run_date;

    insert into bua.gas_profile (run_date, jurisdiction, node, profile_date, volume_mj, source_date)
    select p_run_date, z.jurisdiction, z.node, d::date, s.volume_mj, s.profile_date
    from (
        select g.jurisdiction, g.node, min(g.profile_date) as first_date, r.accrual_date
        from bua.gas_profile g join bua.run r using (run_date) where g.run_date = p_run_date group by 1, 2, 4
    ) z
    cross join generate_series(z.first_date::timestamp, z.accrual_date::timestamp, interval '1 day') d
    cross join lateral (
        select q.profile_date, q.volume_mj
        from (values (1, 0), (2, 1)) t (rank, years_back)
        join bua.gas_profile q on q.run_date = p_run_date and (q.jurisdiction, q.node) = (z.jurisdiction, z.node)
            and q.source_date is null
            and abs(q.profile_date - (d::date - 364 * t.years_back)) <= bua.parameter('profile_season_days')
            and bua.day_type(q.jurisdiction, q.profile_date) = bua.day_type(z.jurisdiction, d::date)
        order by t.rank, abs(q.profile_date - (d::date - 364 * t.years_back)), q.profile_date
        limit 1
    ) s
    where not exists (select from bua.gas_profile g
                      where (g.run_date, g.jurisdiction, g.node, g.profile_date) = (p_run_date, z.jurisdiction, z.node, d::date));
end $$;
