-- The rights of the functions' role in schema bua, and of the platform's workflow service, which executes calculations.
-- Neither may truncate: a routine that truncates has its definer's rights.
grant usage on schema bua to lambda, workflow;
grant select, insert, update, delete, maintain on all tables in schema bua to lambda, workflow;
grant execute on all routines in schema bua to lambda, workflow;
