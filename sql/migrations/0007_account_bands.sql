-- What the run's way of estimating would have said of the panel's registers, beside what they used (bua.panel_errors). The bands of
-- segments and of accounts rest on it.
create table bua.panel_error (
    run_date        date not null,
    segment         text not null,
    cohort          bigint not null,
    estimator       text not null,      -- RECENT, WINDOW
    gap_days        integer not null,   -- market days that the cohort lacks
    units           numeric not null,   -- the cohort's estimates, kWh
    squares         numeric not null,
    meter_register_id bigint not null,
    predicted       numeric not null,   -- kWh
    actual          numeric not null
) partition by list (run_date);

-- Between which limits what was estimated of an account lies. no_band says why they are absent.
create table bua.account_band (
    run_date        date not null,
    account_id      text not null,
    units_low_80    numeric(18, 3),     -- kWh or MJ
    units_high_80   numeric(18, 3),
    units_low_95    numeric(18, 3),
    units_high_95   numeric(18, 3),
    no_band         text,
    primary key (run_date, account_id)
) partition by list (run_date);
