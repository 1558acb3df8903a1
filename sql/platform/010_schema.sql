-- The contract: the part of the billing platform's schema that the accrual relies on. In production these tables arrive
-- inside the snapshot and belong to the platform. Here they build the databases of the demo and the tests; before a run
-- starts, a restored database is compared with them (shared/database/contract.py).
-- Dates are inclusive unless a column says otherwise; money is dollars ex GST; energy is kWh, or MJ for gas.

create schema if not exists core;

create table core.jurisdiction (
    jurisdiction    text primary key,
    time_zone       text not null,      -- bills, bill days and time-of-use windows are in this clock time
    market_offset   interval not null   -- interval data is stamped in this fixed offset from UTC, all year
);

create table core.public_holiday (
    jurisdiction    text not null references core.jurisdiction,
    holiday_date    date not null,
    primary key (jurisdiction, holiday_date)
);

create table core.plan (
    plan_code       text primary key
);

create table core.plan_item (
    plan_item_id        bigint generated always as identity primary key,
    plan_code           text not null references core.plan,
    item_type           text not null check (item_type in ('DAILY', 'USAGE', 'CONTROL', 'FEED_IN')),
    time_class          text not null check (time_class in ('ANYTIME', 'PEAK', 'SHOULDER', 'OFFPEAK')),
    valid_from          date not null,
    valid_to            date,
    rate                numeric not null,               -- dollars per day, kWh or MJ; a feed-in rate is positive here
    block_number        smallint not null default 1,    -- order of the blocks that share one validity
    block_limit_per_day numeric,                        -- width of this block per bill day; null = the remainder
    discount_percent    numeric not null default 0 check (discount_percent between 0 and 100),
    discount_propensity numeric not null default 1 check (discount_propensity between 0 and 1),
    unique (plan_code, item_type, time_class, valid_from, block_number)
);

create table core.time_class_window (
    plan_code       text not null references core.plan,
    time_class      text not null check (time_class in ('ANYTIME', 'PEAK', 'SHOULDER', 'OFFPEAK')),
    days            text not null check (days in ('ALL', 'WEEKDAY', 'WEEKEND')),
    start_minute    smallint not null check (start_minute between 0 and 1439),  -- minutes of the local clock day
    end_minute      smallint not null check (end_minute between 1 and 1440),    -- exclusive
    primary key (plan_code, time_class, days, start_minute)
);

create table core.site (
    site_id         text primary key,   -- NMI (10 characters) or MIRN
    fuel            text not null check (fuel in ('ELECTRICITY', 'GAS')),
    jurisdiction    text not null references core.jurisdiction,
    node            text not null       -- TNI, or gas distribution zone
);

create table core.account (
    account_id      text primary key,
    fuel            text not null check (fuel in ('ELECTRICITY', 'GAS')),
    customer_class  text not null check (customer_class in ('RES', 'BUS')),
    jurisdiction    text not null references core.jurisdiction,
    journal_segment text not null,
    plan_code       text not null references core.plan,
    open_date       date not null,
    close_date      date,
    billing_days    integer not null,
    next_bill_date  date
);

-- The plans that an account has had. A day without a row here has the account's own plan_code: an account that has never
-- changed its plan needs no row.
create table core.account_plan (
    account_id      text not null references core.account,
    plan_code       text not null references core.plan,
    from_date       date not null,
    to_date         date,
    primary key (account_id, from_date)
);

create table core.account_site (
    account_id      text not null references core.account,
    site_id         text not null references core.site,
    from_date       date not null,
    to_date         date,
    primary key (account_id, site_id, from_date)
);
create index account_site_site on core.account_site (site_id, from_date);

create table core.meter (
    site_id         text not null references core.site,
    meter_serial    text not null,
    primary key (site_id, meter_serial)
);

create table core.meter_register (
    meter_register_id bigint generated always as identity primary key,
    site_id         text not null,
    meter_serial    text not null,
    register_id     text not null,
    suffix          text not null,      -- NMI suffix: E1, B1, ... on interval meters; 11, 41 on basic ones
    stream_type     text not null check (stream_type in ('PRIMARY', 'CONTROL', 'SOLAR')),
    read_type       text not null check (read_type in ('INTERVAL', 'BASIC')),
    uom             text not null check (uom in ('KWH', 'WH', 'MJ')),
    digits          smallint,           -- of a basic index; null = it never rolls over
    start_date      date not null,
    end_date        date,
    foreign key (site_id, meter_serial) references core.meter,
    unique (site_id, meter_serial, register_id, start_date)
);
create index meter_register_site on core.meter_register (site_id, suffix);

-- origin PLATFORM: the platform's own rows. origin BUA: rows that the accrual run of run_date made, never an input of a run.
create table core.invoice (
    invoice_id      text primary key,
    account_id      text not null references core.account,
    from_date       date not null,
    to_date         date not null,
    issued_date     date,               -- null until INVOICEGEN issues it
    is_estimated    boolean not null default false,
    is_reversed     boolean not null default false,
    origin          text not null default 'PLATFORM' check (origin in ('PLATFORM', 'BUA')),
    run_date        date,
    net_amount      numeric,
    gst_amount      numeric,
    check ((origin = 'BUA') = (run_date is not null)),
    check (to_date >= from_date)
);
create index invoice_account on core.invoice (account_id, from_date);

create table core.invoice_line_item (
    invoice_line_item_id bigint generated always as identity primary key,
    invoice_id      text not null references core.invoice on delete cascade,
    item_type       text not null check (item_type in ('DAILY', 'USAGE', 'CONTROL', 'FEED_IN')),
    stream_type     text check (stream_type in ('PRIMARY', 'CONTROL', 'SOLAR')),   -- null on DAILY
    time_class      text not null,
    quantity        numeric not null,   -- days, kWh or MJ; never negative, a feed-in credit shows in its amount
    net_amount      numeric not null,
    plan_item_id    bigint references core.plan_item,
    line_state      text check (line_state in ('ACTUAL', 'ESTIMATED')),
    days            integer,
    rate            numeric,
    discount_net            numeric,    -- the discount in full
    discount_net_propensity numeric,    -- the discount times the propensity that it is taken up
    gst_amount      numeric
);
create index invoice_line_item_invoice on core.invoice_line_item (invoice_id);

-- A line's quantity by calendar month: RUN_INVOICE_BATCH writes it, the export reads it.
create table core.invoice_line_item_month (
    invoice_line_item_id bigint not null references core.invoice_line_item on delete cascade,
    year_month      text not null,      -- YYYY-MM
    quantity        numeric not null,
    days            integer not null,
    primary key (invoice_line_item_id, year_month)
);

create table core.meter_read (
    meter_read_id   bigint generated always as identity primary key,
    meter_register_id bigint not null references core.meter_register,
    read_date       date not null,      -- the read is taken at the start of this day
    index_value     numeric not null,
    quantity_factor numeric not null,   -- kWh or MJ per index unit
    quality         text not null check (quality in ('A', 'E', 'S', 'F')),
    origin          text not null default 'PLATFORM' check (origin in ('PLATFORM', 'BUA')),
    run_date        date,
    check ((origin = 'BUA') = (run_date is not null))
);
create unique index meter_read_register on core.meter_read (meter_register_id, read_date, origin, coalesce(run_date, '-infinity'));

-- Billable quantities. Interval registers: one row per local bill day, time class and state. Basic registers: one
-- row per read period.
create table core.aggregated_read (
    meter_register_id bigint not null,
    from_date       date not null,
    to_date         date not null,
    time_class      text not null,
    read_state      text not null check (read_state in ('ACTUAL', 'ESTIMATED')),
    quantity        numeric not null,   -- kWh or MJ
    origin          text not null default 'PLATFORM' check (origin in ('PLATFORM', 'BUA')),
    run_date        date,
    check ((origin = 'BUA') = (run_date is not null))
) partition by range (from_date);
create index aggregated_read_register on core.aggregated_read (meter_register_id, from_date);
create index aggregated_read_run on core.aggregated_read (run_date, meter_register_id) where origin = 'BUA';

-- One partition per year, as a platform would have; the default takes older and later days.
do $$
begin
    for year in 2010..2030 loop
        execute format('create table core.aggregated_read_%s partition of core.aggregated_read for values from (%L) to (%L)',
                       year, make_date(year, 1, 1), make_date(year + 1, 1, 1));
    end loop;
end $$;
create table core.aggregated_read_default partition of core.aggregated_read default;

create table core.gas_volume (
    jurisdiction    text not null references core.jurisdiction,
    node            text not null,
    volume_date     date not null,
    volume_mj       numeric not null check (volume_mj >= 0),
    primary key (jurisdiction, node, volume_date)
);

-- What the weather was in a gas zone. A platform need not have this table.
create table core.temperature (
    jurisdiction    text not null references core.jurisdiction,
    node            text not null,
    temperature_date date not null,
    mean_c          numeric not null,       -- the day's mean, degrees Celsius
    primary key (jurisdiction, node, temperature_date)
);
