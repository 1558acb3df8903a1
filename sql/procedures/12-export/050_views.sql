-- What is exported: one view per file. Its columns are the file's columns, in order; the run's period is at their end.
create or replace view bua.export_account_summary as
select run_date, account_id, site_id, fuel, jurisdiction, customer_class, journal_segment, last_billed_to, unbilled_from,
       unbilled_to, unbilled_days, due_state, uom, units_actual, units_estimated, units_total, net_amount, gst_amount,
       discount_amount, method, scalar, flags, plan_code, billing_days, next_bill_date, close_date, net_estimated,
       recoverable_amount, catch_up_units, catch_up_amount, estimated_days, read_type, node, last_read_date, reference_from,
       reference_to, daily_base, degree_slope, b.units_low_80, b.units_high_80, b.units_low_95, b.units_high_95, b.no_band,
       r.period_start as period_from, r.accrual_date as period_to, r.as_at
from bua.account_summary
join bua.run r using (run_date)
left join bua.account_band b using (run_date, account_id);

create or replace view bua.export_invoice_line_item_monthly as
select run_date, account_id, year_month, item_type, stream_type, time_class, quantity, days, rate, net_amount, gst_amount,
       discount_net, discount_net_propensity, line_state, line_no, r.period_start as period_from, r.accrual_date as period_to,
       r.as_at
from bua.invoice_line_item_monthly join bua.run r using (run_date);

-- An exception's net_amount is that of its supply, which is accrued. account_id is blank for an item that is no account's.
create or replace view bua.export_exceptions as
select run_date, nullif(x.account_id, '') as account_id, x.site_id, x.fuel, x.jurisdiction, x.unbilled_from, x.unbilled_to,
       x.unbilled_days, x.reason, x.run_types, nullif(x.item_key, '') as item_key,
       coalesce(s.net_amount, 0::numeric(18, 2)) as net_amount, r.period_start as period_from, r.accrual_date as period_to, r.as_at
from bua.account_exception x
join bua.run r using (run_date)
left join bua.account_summary s using (run_date, account_id);

-- days counts the days of supply, once per account and month. What goes to the grid is no usage: it is units_exported.
create or replace view bua.export_summary as
select m.run_date, a.jurisdiction, a.fuel, a.journal_segment, m.year_month, m.item_type, m.stream_type, m.time_class,
       count(distinct m.account_id) as accounts,
       sum(m.days) filter (where m.item_type = 'DAILY') as days,
       a.uom,
       sum(m.quantity) filter (where m.stream_type <> 'SOLAR' and m.line_state = 'ACTUAL') as units_actual,
       sum(m.quantity) filter (where m.stream_type <> 'SOLAR' and m.line_state = 'ESTIMATED') as units_estimated,
       sum(m.net_amount) as net_amount, sum(m.gst_amount) as gst_amount, sum(m.discount_net_propensity) as discount_amount,
       sum(m.quantity) filter (where m.stream_type = 'SOLAR') as units_exported,
       min(r.period_start) as period_from, min(r.accrual_date) as period_to, min(r.as_at) as as_at
from bua.invoice_line_item_monthly m
join bua.account_summary a using (run_date, account_id)
join bua.run r using (run_date)
group by m.run_date, a.jurisdiction, a.fuel, a.journal_segment, m.year_month, m.item_type, m.stream_type, m.time_class, a.uom;

-- half_hours is empty for an index read, and for a day of the platform's own quantities.
create or replace view bua.export_implausible_reads as
select i.run_date, i.account_id, i.site_id, m.meter_serial, m.register_id, i.read_date,
       (select string_agg(case when first_h = last_h then first_h::text else first_h || '-' || last_h end, ',' order by first_h)
        from (select min(h) as first_h, max(h) as last_h
              from (select h, h - row_number() over (order by h) as island from unnest(i.half_hours) h) n
              group by island) r) as half_hours,
       i.value, i.limit_value, i.reason,
       case i.reason
           when 'HALF_HOURS' then 'Half-hours of more kWh than the supply gives, and far more than the register''s usual peak'
           when 'DAY' then 'A day of more kWh than the supply gives, or all out of proportion: a wrong unit or multiplier'
           when 'SNAPSHOT_DAY' then 'The platform bills more kWh on the day than the supply gives; the interval store does not have them'
           when 'INDEX' then 'The index fell, or went on by more a day than the limit, against the reads around it'
           when 'ESTIMATED_INDEX' then 'The delivered estimate does not follow from the read before it'
           when 'NEW_INDEX' then 'The index begins anew here: was the meter changed or reset?' end as why,
       r.period_start as period_from, r.accrual_date as period_to, r.as_at
from bua.implausible_read i
join core.meter_register m using (meter_register_id)
join bua.run r using (run_date);

-- One row has all half-hours of a day that were marked for one reason and filled from one day, written as 1-12,15,20-48.
create or replace view bua.export_profile_marks as
select m.*, r.period_start as period_from, r.accrual_date as period_to, r.as_at
from (
    select run_date, 'ELECTRICITY' as fuel, split_part(segment, '|', 1) as jurisdiction,
           split_part(segment, '|', 2) as customer_class, split_part(segment, '|', 3) as stream_type, null as node,
           profile_date, reason,
           string_agg(case when first_h = last_h then first_h::text else first_h || '-' || last_h end, ',' order by first_h) as half_hours,
           min(site_count) as site_count, source_date
    from (
        select run_date, segment, profile_date, reason, source_date,
               min(half_hour) as first_h, max(half_hour) as last_h, min(site_count) as site_count
        from (
            select m.*, m.half_hour - row_number() over (
                partition by run_date, segment, profile_date, reason, source_date order by half_hour) as island
            from bua.segment_profile_mark m
        ) i
        group by run_date, segment, profile_date, reason, source_date, island
    ) r
    group by run_date, segment, profile_date, reason, source_date
    union all
    select run_date, 'GAS', jurisdiction, null, null, node, profile_date, 'MISSING', '1-48', 0, source_date
    from bua.gas_profile where source_date is not null
) m join bua.run r using (run_date);

-- Empty in fuel and segment: every one of them. rho_1 is of the latest span between reads.
create or replace view bua.export_estimate_bands as
select run_date, level, nullif(fuel, '') as fuel, nullif(segment, '') as segment, net_estimated, net_without_band, net_mid, net_low_80,
       net_high_80, net_low_95, net_high_95, uom, units_estimated, units_without_band, units_low_80, units_high_80, units_low_95,
       units_high_95, registers, rho[1] as rho_1, rho[2] as rho_2, rho[3] as rho_3, rho[4] as rho_4, reason,
       r.period_start as period_from, r.accrual_date as period_to, r.as_at
from bua.estimate_band join bua.run r using (run_date);
