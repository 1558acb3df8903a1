-- What is exported: one view per file. Its columns are the file's columns, in order.
create or replace view bua.export_account_summary as
select run_date, account_id, site_id, fuel, jurisdiction, customer_class, journal_segment, last_billed_to, unbilled_from,
       unbilled_to, unbilled_days, due_state, uom, units_actual, units_estimated, units_total, net_amount, gst_amount,
       discount_amount, method, scalar, flags
from bua.account_summary;

create or replace view bua.export_invoice_line_item_monthly as
select run_date, account_id, year_month, item_type, stream_type, time_class, quantity, days, rate, net_amount, gst_amount,
       discount_net, discount_net_propensity, line_state, line_no
from bua.invoice_line_item_monthly;

create or replace view bua.export_exceptions as
select run_date, account_id, site_id, fuel, jurisdiction, unbilled_from, unbilled_to, unbilled_days, reason
from bua.account_exception;

-- days counts the days of supply, once per account and month.
create or replace view bua.export_summary as
select m.run_date, a.jurisdiction, a.fuel, a.journal_segment, m.year_month, m.item_type, m.stream_type, m.time_class,
       count(distinct m.account_id) as accounts,
       sum(m.days) filter (where m.item_type = 'DAILY') as days,
       a.uom,
       sum(m.quantity) filter (where m.item_type <> 'DAILY' and m.line_state = 'ACTUAL') as units_actual,
       sum(m.quantity) filter (where m.item_type <> 'DAILY' and m.line_state = 'ESTIMATED') as units_estimated,
       sum(m.net_amount) as net_amount, sum(m.gst_amount) as gst_amount, sum(m.discount_net_propensity) as discount_amount
from bua.invoice_line_item_monthly m
join bua.account_summary a using (run_date, account_id)
group by m.run_date, a.jurisdiction, a.fuel, a.journal_segment, m.year_month, m.item_type, m.stream_type, m.time_class, a.uom;

-- half_hours is empty for an index read.
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
           when 'INDEX' then 'The index fell, or went on by more a day than the limit, against the reads around it'
           when 'ESTIMATED_INDEX' then 'The delivered estimate does not follow from the read before it'
           when 'NEW_INDEX' then 'The index begins anew here: was the meter changed or reset?' end as why
from bua.implausible_read i
join core.meter_register m using (meter_register_id);

-- One row has all half-hours of a day that were marked for one reason and filled from one day, written as 1-12,15,20-48.
create or replace view bua.export_profile_marks as
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
from bua.gas_profile where source_date is not null;
