-- What a run's accounts are to be invoiced for, before it is priced: written by GENERATE_ILI, read by
-- RUN_INVOICE_BATCH.

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
    days            integer not null    -- bill days that the quantity falls on
);
create index billable_quantity_account on core.billable_quantity (run_date, account_id);

-- The unbilled windows of a batch's payload,
-- {"run_date": ..., "accounts": [{"account_id": ..., "windows": [[from, to], ...]}, ...]}; dates are inclusive.
create or replace function core.unbilled_windows(p_payload jsonb)
returns table (account_id text, from_date date, to_date date)
language sql stable rows 100
begin atomic
    select a.account ->> 'account_id', (w.dates ->> 0)::date, (w.dates ->> 1)::date
      from jsonb_array_elements(p_payload -> 'accounts') a (account)
     cross join lateral jsonb_array_elements(a.account -> 'windows') w (dates);
end;
