-- Micro scalars, and the rows that are exported.

-- One row per stream that has something to estimate or to bill from the run's own copy of the interval reads. An interval
-- stream has a row for every gap in its reads.

create table bua.micro_scalar (
    run_date        date not null,
    account_id      text not null,
    meter_register_id bigint not null,
    site_id         text not null,
    read_type       text not null,
    stream_type     text not null,
    profile_key     text not null,
    register_ids    bigint[] not null,  -- the registers of the stream
    occupied        datemultirange not null, -- local days on which the account had the stream
    first_missing   date,               -- interval registers: the first missing market day of the gap
    last_missing    date,
    method          text check (method in ('RECENT_DAYS', 'READS', 'READS_SEASON', 'BASE_AND_SEASON', 'DEGREE_DAYS',
                                           'OLDER_READS', 'OTHER_METER',
                                           'INVOICES', 'LAST_YEAR', 'SEGMENT_AVERAGE', 'OWN_DAILY_MEAN', 'GIANT_DAILY_MEAN',
                                           'OWN_COPY')),
    scalar          numeric check (scalar >= 0),
    daily_base      numeric not null default 0, -- kWh or MJ a day that do not follow the profile: scalar x profile comes on top
    degree_slope    numeric not null default 0, -- MJ a degree-day, which come on top as well
    daily_mean      numeric,            -- kWh or MJ a day over the reference days
    reference_from  date,
    reference_to    date,               -- inclusive
    reference_days  integer,
    usage_units     numeric,            -- kWh or MJ used over the reference days
    macro_units     numeric,            -- the macro profile's sum over the same days
    season_ratio    numeric,            -- basic registers: last year, the scalar of the days now missing over that of the reference
    season_from     date,               -- the span of last year's days now missing
    season_to       date,               -- inclusive
    is_giant        boolean not null default false,
    is_vacant       boolean not null default false,
    is_capped       boolean not null default false,
    gap             smallint not null default 1,    -- interval registers: the gaps of a stream, in their order
    unread          datemultirange not null default '{}',   -- interval registers: the stream's unbilled local days that do not
                                                            -- count as read; the same in all its rows
    whole           datemultirange not null default '{}',   -- those of them that are billed from the generated file alone
    primary key (run_date, account_id, meter_register_id, gap)
) partition by list (run_date);

-- Days that the snapshot bills although later interval reads say something else.
create table bua.read_difference (
    run_date        date not null,
    account_id      text not null,
    meter_register_id bigint not null,
    local_date      date not null,
    snapshot_units  numeric not null,   -- kWh, which are billed
    copy_units      numeric not null,   -- kWh of the run's own copy of the interval reads
    primary key (run_date, account_id, meter_register_id, local_date)
) partition by list (run_date);

create table bua.account_summary (
    run_date        date not null,
    account_id      text not null,
    site_id         text,
    fuel            text not null,
    jurisdiction    text not null,
    customer_class  text not null,
    journal_segment text not null,
    last_billed_to  date,
    unbilled_from   date not null,
    unbilled_to     date not null,
    unbilled_days   integer not null,
    due_state       text not null check (due_state in ('NOT_DUE', 'DUE', 'OVERDUE')),
    uom             text not null,
    units_actual    numeric(18, 3) not null,
    units_estimated numeric(18, 3) not null,
    units_total     numeric(18, 3) not null,
    net_amount      numeric(18, 2) not null,
    gst_amount      numeric(18, 2) not null,
    discount_amount numeric(18, 2) not null,
    method          text not null,
    scalar          numeric,
    flags           text not null,
    plan_code       text,
    billing_days    integer,
    next_bill_date  date,
    close_date      date,
    net_estimated   numeric(18, 2),     -- of net_amount
    recoverable_amount numeric(18, 2),  -- of net_amount: its days may still be billed to a customer who is not at fault
    catch_up_units  numeric(18, 3),     -- the known correction of the last estimated bills, kWh or MJ; null = none is known
    catch_up_amount numeric(18, 2),     -- the same in net dollars; it is no part of net_amount
    estimated_days  integer,            -- of unbilled_days: something is estimated
    read_type       text check (read_type in ('ACTUAL', 'ESTIMATED', 'SUBSTITUTED')),  -- of the last read
    node            text,               -- the site's TNI or gas zone
    last_read_date  date,               -- the last actual read
    reference_from  date,               -- the days that scalar was worked out on
    reference_to    date,
    daily_base      numeric,            -- kWh or MJ a day beside scalar x profile
    degree_slope    numeric,            -- MJ a degree-day beside both
    primary key (run_date, account_id)
) partition by list (run_date);

create table bua.invoice_line_item_monthly (
    run_date        date not null,
    account_id      text not null,
    line_no         integer not null,
    year_month      text not null,
    item_type       text not null,
    stream_type     text,
    time_class      text not null,
    quantity        numeric(18, 3) not null,
    days            integer not null,
    rate            numeric,
    net_amount      numeric(18, 2) not null,
    gst_amount      numeric(18, 2) not null,
    discount_net    numeric(18, 2) not null,
    discount_net_propensity numeric(18, 2) not null,
    line_state      text not null,
    primary key (run_date, account_id, line_no, year_month)
) partition by list (run_date);

-- Accounts whose units cannot be worked out, or of which a work item failed; and failed items that are no account's.
create table bua.account_exception (
    run_date        date not null,
    account_id      text not null,      -- '' = no account's
    site_id         text,
    fuel            text,
    jurisdiction    text,
    unbilled_from   date,
    unbilled_to     date,
    unbilled_days   integer not null,
    reason          text not null,
    run_types       text,               -- of the work items that failed; null = none did
    item_key        text not null default '',   -- of a work item that is no account's: a segment's month, a file
    primary key (run_date, account_id, item_key)
) partition by list (run_date);

-- How far the estimates may be off: a row per segment or gas zone, per fuel, and for the book. low and high are those of what has a
-- band, net_mid; the rest is without one, and reason says why.
create table bua.estimate_band (
    run_date        date not null,
    level           text not null check (level in ('SEGMENT', 'FUEL', 'BOOK')),
    fuel            text not null,      -- '' = the book
    segment         text not null,      -- or VIC|<gas zone>; '' = a fuel or the book
    uom             text,
    units_estimated numeric(18, 3),     -- kWh or MJ, without export to the grid; null = the book
    units_without_band numeric(18, 3),
    units_low_80    numeric(18, 3),
    units_high_80   numeric(18, 3),
    units_low_95    numeric(18, 3),
    units_high_95   numeric(18, 3),
    net_estimated   numeric(18, 2) not null,
    net_without_band numeric(18, 2) not null,
    net_mid         numeric(18, 2),
    net_low_80      numeric(18, 2),
    net_high_80     numeric(18, 2),
    net_low_95      numeric(18, 2),
    net_high_95     numeric(18, 2),
    registers       integer,            -- the fewest of the panel that a cohort was compared with
    rho             numeric[],          -- of basic meters: actual over estimated, of their last four spans, the latest first
    reason          text,
    primary key (run_date, level, fuel, segment)
) partition by list (run_date);

-- How long back a customer who is not at fault may be billed. A row is valid from its date; jurisdiction '' = every other.
create table bua.back_billing_limit (
    jurisdiction    text not null,
    fuel            text not null check (fuel in ('ELECTRICITY', 'GAS')),
    from_date       date not null,
    months          integer not null,
    primary key (jurisdiction, fuel, from_date)
);
insert into bua.back_billing_limit values
    ('', 'ELECTRICITY', '2000-01-01', 9),
    ('', 'GAS', '2000-01-01', 9),
    ('VIC', 'ELECTRICITY', '2021-01-01', 4),
    ('VIC', 'GAS', '2021-01-01', 4);

-- How many rows of the run each table had when the run was invoiced: the control totals look for them again.
create table bua.row_count (
    run_date        date not null,
    table_name      text not null,
    rows            bigint not null,
    primary key (run_date, table_name)
);
