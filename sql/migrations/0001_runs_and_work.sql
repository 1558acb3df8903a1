-- Runs, their parameters, and the work items of every fan-out.

-- One row per run. prepare_run writes the period; everything else reads it here.
create table bua.run (
    run_date        date primary key,
    period_start    date not null,      -- FROM, the first day of the period
    period_end      date not null,      -- exclusive: the day after TO
    accrual_date    date not null,      -- TO, the last day of the period
    as_at           date not null,      -- invoices that were issued later do not count
    profile_start   date not null,      -- interval reads are profiled from here: a year before the period
    check (period_start <= accrual_date and period_end = accrual_date + 1 and as_at >= accrual_date)
);

-- Thresholds that finance may change, with their defaults.
create table bua.parameter (
    name            text primary key,
    value           numeric not null,
    description     text not null
);
insert into bua.parameter (name, value, description) values
    ('grace_days', 10, 'An account is OVERDUE when its next bill date is more than this many days before AS_AT'),
    ('profile_min_sites', 5, 'A profile entry from fewer sites is marked'),
    ('profile_outlier_factor', 3, 'A profile entry below 1/x or above x times the median of its neighbours is marked'),
    ('profile_neighbour_days', 7, 'The neighbours of an entry are this many days either side'),
    ('profile_season_days', 45, 'An equivalent day lies within this many days of the day, or of last year''s date'),
    ('scalar_cap', 20, 'A larger micro scalar is capped and flagged'),
    ('scalar_reference_days', 91, 'The reference window of an interval register'),
    ('scalar_min_days', 14, 'Fewer complete days than this make no reference'),
    ('basic_reference_days', 60, 'The reads of a basic register that make its reference are at least this many days apart'),
    ('recent_half_life_days', 5, 'A complete day this much further from a gap counts half as much towards its scalar'),
    ('shape_days', 28, 'An interval register''s own shape is that of at most this many days of the day type'),
    ('shape_min_days', 14, 'From fewer days of the day type the segment''s shape is taken'),
    ('season_reach_days', 45, 'A read of last year''s season lies within this many days of the day that is looked for'),
    ('season_power_res', 0, 'How far a home''s own season goes into its scalar: 0 not at all, 1 wholly'),
    ('season_power_bus', 0.5, 'The same of a business'),
    ('season_power_gas', 0.67, 'The same of gas'),
    ('season_power_giant', 1, 'The same of a giant on a basic meter'),
    ('season_limit', 3, 'An own season is taken as at most x times, and at least 1/x of, the one before'),
    ('gas_fit_spans', 5, 'A gas meter''s base load and slope are fitted to its latest x spans'),
    ('gas_fit_min_spans', 4, 'Fewer spans than this make no fit'),
    ('gas_fit_decay', 0.8, 'The k-th span back has the weight x to the power of k in the fit'),
    ('gas_fit_limit', 2, 'The fit is moved to the latest span by at most the factor x'),
    ('gas_fit_share', 0.5, 'The share of the fit in a gas estimate; the rest is the own season'),
    ('degree_base', 15.5, 'A degree-day is a day whose mean temperature is one degree C below this'),
    ('degree_fit_share', 0.6, 'The share of the fit to degree-days in a gas estimate; the rest is the own season'),
    ('degree_hole_days', 7, 'Up to x days in a row without a temperature are interpolated'),
    ('vacant_days', 364, 'A meter is vacant after this many days without any use'),
    ('giant_factor', 20, 'A register that uses more than x times its segment''s median a day is a giant'),
    ('read_tolerance', 0.005, 'The snapshot and the interval reads agree on a day when they differ by no more than this many kWh'),
    ('implausible_res_half_hour', 34.5, 'kWh that a home''s supply gives in half an hour: 230 V x 100 A x 3 phases'),
    ('implausible_bus_half_hour', 276, 'kWh that a business''s low-voltage supply gives in half an hour: 230 V x 800 A x 3 phases'),
    ('implausible_any_half_hour', 50000, 'kWh that no half-hour exceeds, whatever the register usually uses: 100 MW'),
    ('implausible_day_half_hours', 8, 'A day may need as many half-hours at the limit of its class'),
    ('implausible_factor', 20, 'A half-hour or day above its class''s limit must be above x times the register''s usual one, too'),
    ('implausible_index_factor', 10, 'A register''s index may go on by x times its own mean day'),
    ('implausible_res_day_mj', 5500, 'MJ a day through a home''s gas meter: 6 cubic metres an hour, round the clock'),
    ('implausible_bus_day_mj', 70000, 'MJ a day through a business''s basic gas meter: 10 TJ a year, in its season'),
    ('band_registers', 100, 'The band of a segment''s estimate is worked out from at most x of its registers'),
    ('band_cohorts', 40, 'and at most x groups of missing days and last reads'),
    ('band_min_registers', 10, 'Fewer interval registers than this make no band'),
    ('band_min_gas_meters', 30, 'Fewer gas meters than this make no band'),
    ('validate_tolerance_percent', 5, 'A profile that differs from the platform''s reads by more than this is an anomaly');

-- One row per work item, with its outcome. Every run type of a run has a partition of its own, made when it is first
-- planned, so that a reset truncates.
create table bua.bua_control (
    run_date        date not null,
    run_type        text not null,
    item_key        text not null,      -- an account, a site, a segment-month or a file, by run type
    batch_no        integer not null,
    state           text not null default 'PENDING' check (state in ('PENDING', 'DONE', 'SKIP', 'FAIL')),
    reason          text,
    primary key (run_date, run_type, item_key),
    check ((state in ('SKIP', 'FAIL')) = (reason is not null))
) partition by list (run_date);

-- The current attempt at a run type. Messages of an earlier attempt find nothing to claim.
create table bua.fan_out (
    run_date        date not null,
    run_type        text not null,
    attempt         text not null,
    planned         integer not null,
    primary key (run_date, run_type)
);

create table bua.fan_out_batch (
    run_date        date not null,
    run_type        text not null,
    batch_no        integer not null,
    is_enqueued     boolean not null default false,
    primary key (run_date, run_type, batch_no),
    foreign key (run_date, run_type) references bua.fan_out on delete cascade
);

-- The local bill days that a market day's 48 half-hours belong to. Bit h-1 of the mask is half-hour h. A market day lies in
-- one local day in Queensland, and in two in a Sydney summer. A local day on which the clocks change has 46 or 50 half-hours.
create table bua.market_day (
    jurisdiction    text not null,
    profile_date    date not null,
    local_date      date not null,
    half_hour_mask  bigint not null,
    primary key (jurisdiction, profile_date, local_date)
);
create index market_day_local on bua.market_day (jurisdiction, local_date);
