-- Purpose: spans between actual reads, each estimated from the one before by its scalar: of at most band_registers basic meters of a
-- segment or gas zone, without giants, chosen by a hash of their names. back = 1 is a meter's last span.
-- Input: run_date. Reads only.
create or replace function bua.span_pairs(p_run_date date)
returns table (segment text, meter_register_id bigint, back bigint, predicted numeric, actual numeric)
language sql stable as $$
    with meter as materialized (
        select m.*, row_number() over () as stream from (
            select s.profile_key, s.meter_register_id, s.occupied,
                   row_number() over (partition by s.profile_key
                                      order by md5(concat_ws(' ', m.site_id, m.meter_serial, m.register_id)), s.account_id) as place
            from bua.micro_scalar s join core.meter_register m using (meter_register_id)
            where s.run_date = p_run_date and s.read_type = 'BASIC' and not s.is_giant and s.profile_key is not null
        ) m
        where place <= (select bua.parameter('band_registers'))
    ),
    span as materialized (
        select m.profile_key, m.meter_register_id, x.from_date, x.to_date, x.quantity, x.macro,
               row_number() over (partition by m.profile_key, m.meter_register_id, m.place order by x.to_date desc) as back, m.place
        from (select array_agg(meter_register_id order by stream) as ids, array_agg(occupied order by stream) as occupied,
                     array_agg(profile_key order by stream) as keys from meter) l
        cross join lateral bua.actual_spans(p_run_date, l.ids, l.occupied, l.keys) x
        join meter m using (stream)
    )
    select s.profile_key, s.meter_register_id, s.back, b.quantity / b.macro * s.macro, s.quantity
    from span s
    join span b on (b.profile_key, b.place, b.back) = (s.profile_key, s.place, s.back + 1)
    where b.macro > 0 and s.macro > 0
$$;
