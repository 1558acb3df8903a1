-- Interval reads by market day, and the averages made from them. All are partitioned by run_date, so that a reset truncates.
-- The energy of a half-hour is an integer of 10^-scale kWh. Totals are integers of micro-kWh, so that sums are exact in any
-- order and a rerun gives the same bytes. Bit h-1 of a mask is half-hour h. A segment is a jurisdiction, a customer
-- class and a stream type in one word: NSW|RES|PRIMARY.

create table bua.utility_profile (
    run_date        date not null,
    site_id         text not null,
    meter_register_id bigint not null,
    profile_date    date not null,      -- market day
    scale           smallint not null check (scale between 0 and 6),
    half_hours      integer[] not null, -- 48, in kWh x 10^scale
    qualities       text not null,      -- 48 characters of A, S, F, E, N
    excluded_mask   bigint not null,    -- estimated or missing: left out of averages
    missing_mask    bigint not null,
    day_total       bigint not null,    -- micro-kWh of the half-hours that are not missing
    primary key (run_date, meter_register_id, profile_date)
) partition by list (run_date);

create table bua.utility_profile_log (
    run_date        date not null,
    site_id         text not null,
    items_read      integer not null,
    days_written    integer not null,
    newest_update   text,
    primary key (run_date, site_id)
) partition by list (run_date);

create table bua.utility_profile_summary (
    run_date        date not null,
    meter_register_id bigint not null,
    segment         text not null,
    complete_days   integer not null,
    complete_total  bigint not null,    -- micro-kWh of the complete, non-estimated days
    complete        datemultirange not null,    -- these days
    is_giant        boolean not null default false,
    weight          bigint,             -- millionths of the average register's level; null = a giant, or not weighed yet
    primary key (run_date, meter_register_id, segment)
) partition by list (run_date);
create index on bua.utility_profile_summary (segment) where is_giant;

-- The days of which a register has some half-hours but not all: each half-hour of a segment's profile asks for their weights.
create table bua.incomplete_day (
    run_date        date not null,
    segment         text not null,
    profile_date    date not null,
    meter_register_id bigint not null,
    excluded_mask   bigint not null,    -- as in utility_profile, never all 48
    primary key (run_date, segment, profile_date, meter_register_id)
) partition by list (run_date);

-- Reads that cannot be, and are taken as missing: a row per day of an interval register (its half-hours were read, but
-- are missing in utility_profile), per day of the platform's own billable quantities, and per index read.
create table bua.implausible_read (
    run_date        date not null,
    account_id      text not null,
    site_id         text not null,
    meter_register_id bigint not null,
    read_date       date not null,      -- market day; of the platform's quantities a local day; of an index the day at whose start it was read
    half_hours      smallint[],         -- which of the day's; null = not a day of reads
    kwh             numeric[],          -- of each of them
    qualities       text,               -- of each of them
    value           numeric not null,   -- kWh of the largest of the half-hours or of the day; the index
    limit_value     numeric not null,   -- kWh a half-hour or a day; of an index kWh or MJ a day
    reason          text not null check (reason in ('HALF_HOURS', 'DAY', 'SNAPSHOT_DAY', 'INDEX', 'ESTIMATED_INDEX', 'NEW_INDEX')),
    primary key (run_date, meter_register_id, read_date, account_id)
) partition by list (run_date);
create index on bua.implausible_read (run_date, account_id);

-- Every site-data transaction writes the sums of its own sites; the step that averages segments adds these up.
create table bua.segment_partial (
    run_date        date not null,
    batch_no        integer not null,
    first_item      text not null,      -- the smallest site of the transaction
    segment         text not null,
    profile_date    date not null,
    counts          integer[] not null, -- 48: registers with a non-estimated value
    totals          bigint[] not null,  -- 48: micro-kWh
    complete_total  bigint not null,    -- micro-kWh of the registers whose day is complete
    primary key (run_date, segment, profile_date, batch_no, first_item)
) partition by list (run_date);

create table bua.segment (
    run_date        date not null,
    segment         text not null,
    first_date      date not null,
    last_date       date not null,
    median_daily    numeric,            -- kWh: the median of its registers' mean daily usage
    primary key (run_date, segment)
) partition by list (run_date);

-- A segment's market day as the weights of its registers are worked out from it. Giants are left out of all three.
create table bua.segment_day (
    run_date        date not null,
    segment         text not null,
    profile_date    date not null,
    complete_total  bigint not null,    -- micro-kWh of the registers whose day is complete
    weight          bigint not null default 0,  -- millionths: the sum of these registers' weights
    daily_total     numeric,            -- micro-kWh of a register of weight 1
    primary key (run_date, segment, profile_date)
) partition by list (run_date);

create table bua.segment_profile (
    run_date        date not null,
    segment         text not null,
    profile_date    date not null,
    site_counts     integer[] not null,
    average         double precision[] not null,    -- kWh; null where no site has a value
    marked_mask     bigint not null default 0,
    profile         double precision[] not null,    -- kWh, marked entries replaced
    primary key (run_date, segment, profile_date)
) partition by list (run_date);

create table bua.segment_profile_mark (
    run_date        date not null,
    segment         text not null,
    profile_date    date not null,
    half_hour       smallint not null,
    reason          text not null check (reason in ('MISSING', 'FEW_SITES', 'LOW', 'HIGH')),
    site_count      integer not null,
    average         double precision,
    source_date     date,               -- the equivalent day that it was filled from; null = not filled
    filled          double precision,
    primary key (run_date, segment, profile_date, half_hour)
) partition by list (run_date);

create table bua.utility_profile_variance (
    run_date        date not null,
    segment         text not null,
    year_month      text not null,
    profile_units   numeric not null,   -- kWh of the utility profiles
    platform_units  numeric not null,   -- kWh of the platform's aggregated reads
    variance_percent numeric,
    is_anomaly      boolean not null,
    primary key (run_date, segment, year_month)
) partition by list (run_date);

create table bua.gas_profile (
    run_date        date not null,
    jurisdiction    text not null,
    node            text not null,
    profile_date    date not null,
    volume_mj       numeric not null,
    source_date     date,               -- the day that it was filled from; null = the market's own volume
    primary key (run_date, jurisdiction, node, profile_date)
) partition by list (run_date);

-- One number per profile and day: what an account with scalar 1 uses.
create table bua.macro_profile (
    run_date        date not null,
    profile_key     text not null,      -- a segment, or VIC|<gas zone>
    profile_date    date not null,
    daily_total     numeric not null,   -- kWh, or MJ of the zone
    degree_days     numeric,            -- of a gas zone whose temperatures are known, degrees C
    primary key (run_date, profile_key, profile_date)
) partition by list (run_date);

-- The scalar of an account without any history: 1 in electricity; in gas the mean of its zone's customers,
-- giants left out.
create table bua.profile_scalar (
    run_date        date not null,
    profile_key     text not null,
    customer_class  text not null,
    scalar          numeric not null,
    primary key (run_date, profile_key, customer_class)
) partition by list (run_date);
