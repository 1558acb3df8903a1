-- What a run's accounts are to be invoiced for, before it is priced: GENERATE_ILI writes it, RUN_INVOICE_BATCH reads it.
create table core.billable_quantity (
    run_date        date not null,
    account_id      text not null references core.account,
    item_type       text not null,
    stream_type     text,               -- null on DAILY
    time_class      text not null,      -- as priced: ANYTIME where the plan has no price for the read's own class
    line_state      text not null check (line_state in ('ACTUAL', 'ESTIMATED')),
    price_from      date,               -- first day of the price (core.price_validity); null = the plan has none
    year_month      text not null,      -- YYYY-MM
    quantity        numeric not null,   -- days, kWh or MJ; exact
    days            integer not null,   -- bill days that the quantity falls on
    plan_code       text                -- the account's plan on these days, which may change inside a window
);
create index billable_quantity_account on core.billable_quantity (run_date, account_id);
