-- Purpose: gas profiles: the market's daily volume, in MJ, of every distribution zone. A day without a volume is filled from
-- the best of its equivalent days: a single missing day would leave every span of reads across it without a macro sum.
-- Input: run_date. Tables written: bua.gas_profile. Safe to rerun: replaces its rows.
create or replace procedure bua.import_gas_volumes_profile_creation(p_run_date date)
language plpgsql as $$
begin
    call bua.truncate_run('gas_profile', p_run_date);

    insert into bua.gas_profile (run_date, jurisdiction, node, profile_date, volume_mj)
    select p_run_date, v.jurisdiction, v.node, v.volume_date, v.volume_mj
    from bua.run r join core.gas_volume v on v.volume_date between r.profile_start and r.accrual_date
    where r.run_date = p_run_date;

    call bua.analyze_run('gas_profile', p_run_date);

    insert into bua.gas_profile (run_date, jurisdiction, node, profile_date, volume_mj, source_date)
    with hole as materialized (
        select z.jurisdiction, z.node, z.known, array_agg(d::date) as dates
        from (
            select g.jurisdiction, g.node, min(g.profile_date) as first_date, array_agg(g.profile_date) as known, r.accrual_date
            from bua.gas_profile g join bua.run r using (run_date) where g.run_date = p_run_date group by 1, 2, 5
        ) z
        cross join generate_series(z.first_date::timestamp, z.accrual_date::timestamp, interval '1 day') d
        where d::date <> all (z.known)
        group by 1, 2, 3
    ),
    equivalent as materialized (    -- once for a zone, not for each of its days
        select h.jurisdiction, h.node, e.* from hole h cross join lateral bua.equivalent_days(h.jurisdiction, h.dates, h.known) e
    )
    select distinct on (e.jurisdiction, e.node, e.profile_date)
           p_run_date, e.jurisdiction, e.node, e.profile_date, g.volume_mj, g.profile_date
    from equivalent e
    join bua.gas_profile g on (g.run_date, g.jurisdiction, g.node, g.profile_date) = (p_run_date, e.jurisdiction, e.node, e.source_date)
    order by e.jurisdiction, e.node, e.profile_date, e.preference;
end $$;
