-- Purpose: gas profiles: the market's daily volume of every distribution zone, absent days filled from the nearest
-- equivalent day (same day type within the season, then last year's; a public holiday that finds no other takes a
-- weekend day), as electricity profiles are: one hole would leave every span of reads across it without a macro sum.
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
    with known as materialized (
        select g.*, bua.day_type(g.jurisdiction, g.profile_date) as day_type from bua.gas_profile g where g.run_date = p_run_date
    ),
    hole as (
        select z.jurisdiction, z.node, d::date as profile_date, bua.day_type(z.jurisdiction, d::date) as day_type
        from (
            select k.jurisdiction, k.node, min(k.profile_date) as first_date, r.accrual_date
            from known k join bua.run r using (run_date) group by 1, 2, 4
        ) z
        cross join generate_series(z.first_date::timestamp, z.accrual_date::timestamp, interval '1 day') d
        where not exists (select from known k where (k.jurisdiction, k.node, k.profile_date) = (z.jurisdiction, z.node, d::date))
    ),
    attempt (rank, years_back, is_weekend_allowed) as (
        values (1, 0, false), (2, 1, false), (3, 0, true), (4, 1, true)
    )
    select p_run_date, h.jurisdiction, h.node, h.profile_date, s.volume_mj, s.profile_date
    from hole h
    cross join lateral (
        select k.profile_date, k.volume_mj
        from attempt t
        join known k on (k.jurisdiction, k.node) = (h.jurisdiction, h.node)
            and abs(k.profile_date - (h.profile_date - 364 * t.years_back)) <= (select bua.parameter('profile_season_days'))
            and (k.day_type = h.day_type or t.is_weekend_allowed and h.day_type = 'HOLIDAY' and k.day_type = 'WEEKEND')
        order by t.rank, abs(k.profile_date - (h.profile_date - 364 * t.years_back)), k.profile_date
        limit 1
    ) s;
end $$;
