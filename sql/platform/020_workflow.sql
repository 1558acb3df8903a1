-- The platform's workflow engine: the services on EKS take READY instances by priority and execute them.

create table core.workflow (
    workflow_name   text primary key,
    service         text not null check (service in ('workflow', 'meterdata')),  -- which service executes it
    priority        integer not null default 100,   -- lower runs first
    description     text not null
);

insert into core.workflow (workflow_name, service, description) values
    ('WARM_TABLE', 'workflow', 'Analyse one table'),
    ('WARM_PARTITION', 'workflow', 'Analyse one partition'),
    ('WARM_INDEX', 'workflow', 'Read one index and its table into memory'),
    ('LOAD_NEM12', 'meterdata', 'Load meter data files from S3 into the interval store'),
    ('IMPORT_NEM12', 'workflow', 'Aggregate loaded interval reads into billable quantities'),
    ('GENERATE_ILI', 'workflow', 'Work out what a batch of accounts is to be invoiced for'),
    ('RUN_INVOICE_BATCH', 'workflow', 'Price a batch of accounts'),
    ('INVOICEGEN', 'workflow', 'Issue the invoices of a batch'),
    ('BUA_CALCULATION', 'workflow', 'Run one calculation of the accrual from SQL');

create table core.workflow_schedule (
    workflow_schedule_id bigint generated always as identity primary key,
    workflow_name   text not null references core.workflow,
    is_enabled      boolean not null default true,
    due_at          timestamptz not null default now(),
    executed_at     timestamptz,        -- a schedule executes once, by raising an instance with its payload
    payload         jsonb not null default '{}',
    run_date        date
);

create table core.workflow_instance (
    workflow_instance_id bigint generated always as identity primary key,
    workflow_name   text not null references core.workflow,
    state           text not null default 'READY' check (state in ('READY', 'RUNNING', 'COMPLETE', 'FAILED')),
    payload         jsonb not null default '{}',
    run_date        date,
    attempts        integer not null default 0,
    created_at      timestamptz not null default now(),
    started_at      timestamptz,
    finished_at     timestamptz
);
create index workflow_instance_open on core.workflow_instance (workflow_name, state);

create table core.workflow_exception (
    workflow_exception_id bigint generated always as identity primary key,
    workflow_instance_id bigint not null references core.workflow_instance on delete cascade,
    raised_at       timestamptz not null default now(),
    message         text not null
);

create table core.event_log (
    event_log_id    bigint generated always as identity primary key,
    logged_at       timestamptz not null default now(),
    level           text not null default 'INFO',
    message         text not null
);
