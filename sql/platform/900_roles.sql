-- The login roles of the platform's services and of the accrual's functions. They arrive with the snapshot; restore
-- gives them new passwords. Executed by core_admin, the master role, which is not a superuser (nor is it on RDS).
create role workflow login;
create role meterdata login;
-- 800 concurrent functions share this role: the limit keeps them from taking every connection (decision record 0001).
create role lambda login connection limit 200;

grant usage on schema core to workflow, meterdata, lambda;

-- The engine's own tables.
grant select, insert, update, delete on core.workflow_instance, core.workflow_schedule, core.workflow_exception,
    core.event_log to workflow, meterdata, lambda;
grant select, update on core.workflow to lambda;

-- The workflow service invoices and aggregates.
grant select on all tables in schema core to workflow, lambda;
grant insert, update, delete on core.invoice, core.invoice_line_item, core.invoice_line_item_month,
    core.aggregated_read, core.billable_quantity to workflow;
grant select on core.workflow, core.site, core.meter_register to meterdata;

-- Of the platform's tables the accrual writes only reads and workflow rows, and deletes only invoices and what they were
-- made from, all of its own run.
grant insert, update, delete on core.meter_read, core.aggregated_read to lambda;
grant delete on core.invoice, core.invoice_line_item, core.invoice_line_item_month, core.billable_quantity to lambda;
