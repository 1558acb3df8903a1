-- Purpose: macro profiles: the daily total of every segment's profile, in kWh, and of every gas zone's, in MJ, with its
-- degree-days where they are known; and the scalar for a customer without any history: 1 for a segment; in gas the mean of
-- the zone's customers without the giants, which use more than giant_factor times their median.
-- Input: run_date. Tables written: bua.macro_profile, bua.profile_scalar. Safe to rerun: replaces its rows.
create or replace procedure bua.bua_create_macro_profile(p_run_date date)
language plpgsql as $$
begin
    call bua.truncate_run('macro_profile', p_run_date);
    call bua.truncate_run('profile_scalar', p_run_date);

    insert into bua.macro_profile (run_date, profile_key, profile_date, daily_total, degree_days, days_before, total_before)
    with day as (
        select p.segment as profile_key, p.profile_date, sum(v.value::numeric) as total, null::numeric as degree_days
        from bua.segment_profile p cross join unnest(p.profile) v (value)
        where p.run_date = p_run_date
        group by 1, 2 having count(v.value) = 48    -- no total when a half-hour is unknown
        union all
        select concat_ws('|', g.jurisdiction, g.node), g.profile_date, g.volume_mj, d.degree_days
        from bua.gas_profile g left join bua.degree_days(p_run_date) d using (jurisdiction, node, profile_date)
        where g.run_date = p_run_date
    )
    select p_run_date, d.profile_key, d.profile_date, d.total, d.degree_days, count(*) over before, coalesce(sum(d.total) over before, 0)
    from day d
    window before as (partition by d.profile_key order by d.profile_date rows between unbounded preceding and 1 preceding);

    call bua.analyze_run('macro_profile', p_run_date);

    insert into bua.profile_scalar (run_date, profile_key, customer_class, scalar)
    select p_run_date, segment, split_part(segment, '|', 2), 1
    from bua.segment where run_date = p_run_date;

    insert into bua.profile_scalar (run_date, profile_key, customer_class, scalar)
    with batch as (     -- as many as a message has
        select array_agg(n.account_id) as account_ids
        from (
            select a.account_id, (row_number() over (order by a.account_id) - 1) / 100 as batch_no
            from bua.bua_list_all_accounts(p_run_date) l
            join core.account a on a.account_id = l.account_id and a.fuel = 'GAS'
        ) n
        group by n.batch_no
    ),
    customer as (
        select x.profile_key, x.customer_class, x.usage / x.macro as scalar
        from batch b
        cross join lateral (
            with stream as materialized (
                select s.*, row_number() over () as stream from bua.account_streams(b.account_ids) s
            )
            select s.profile_key, s.customer_class, r.usage, r.macro
            from (select array_agg(meter_register_id order by stream) as ids, array_agg(occupied order by stream) as occupied,
                         array_agg(profile_key order by stream) as keys from stream) l
            cross join lateral bua.basic_reference(p_run_date, l.ids, l.occupied, l.keys) r
            join stream s using (stream)
        ) x
    ),
    median as (
        select profile_key, customer_class, percentile_cont(0.5) within group (order by scalar)::numeric as scalar
        from customer group by 1, 2
    )
    select p_run_date, c.profile_key, c.customer_class, round(avg(c.scalar), 15)
    from customer c
    join median m using (profile_key, customer_class)
    where c.scalar <= (select bua.parameter('giant_factor')) * m.scalar
    group by c.profile_key, c.customer_class;
end $$;
