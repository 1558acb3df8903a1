-- Purpose: each account's leading micro scalar: that of the stream with most estimated units and, of its gaps, the one with
-- most; and the days that it was worked out on. Export to the grid leads only when the account estimates nothing else.
-- Inputs: run_date, accounts. Reads only. Its plan is made once a session.
create or replace function bua.leading_scalars(p_run_date date, p_account_ids text[])
returns table (account_id text, method text, scalar numeric, daily_base numeric, degree_slope numeric, is_capped boolean, is_giant boolean,
               is_vacant boolean, reference_from date, reference_to date)
language plpgsql stable rows 100 set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query select distinct on (s.account_id) s.account_id, s.method, s.scalar, s.daily_base, s.degree_slope, s.is_capped, s.is_giant, s.is_vacant,
           s.reference_from, s.reference_to
    from bua.micro_scalar s
    cross join lateral (
        select sum(a.quantity) as units,
               sum(a.quantity) filter (where a.from_date between s.first_missing and s.last_missing) as gap_units
        from core.aggregated_read a
        where a.meter_register_id = any (s.register_ids) and s.occupied @> a.from_date
          and a.origin = 'BUA' and a.run_date = s.run_date and a.read_state = 'ESTIMATED' and a.quantity >= 0   -- without reversals
    ) e
    where s.run_date = p_run_date and s.account_id = any (p_account_ids) and s.method <> 'OWN_COPY' and e.units is not null
    order by s.account_id, s.stream_type = 'SOLAR', e.units desc, s.meter_register_id, e.gap_units desc nulls last, s.gap;
end $$;
