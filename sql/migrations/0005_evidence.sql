-- What the report reads beside the CSV files: Parquet files, each of a part of the accounts.

-- The row of the plan that priced a line: its days are those of this price. Null = no price.
alter table bua.invoice_line_item_monthly add column plan_item_id bigint;

-- One row per file that was written: what the control totals expect in the bucket.
create table bua.evidence_file (
    run_date        date not null,
    name            text not null,      -- account_days, ...
    part            integer not null,
    rows            bigint not null,
    bytes           bigint not null,
    sha256          text not null,
    sums            jsonb not null,     -- of its units and dollars, as text, read back from the file
    primary key (run_date, name, part)
) partition by list (run_date);

insert into bua.parameter (name, value, description) values
    ('evidence_accounts', 2000, 'An evidence file has at most this many accounts');
