-- Who may do what in schema bua: the functions' role works, the platform's workflow service executes what it is handed.
-- Truncating and planning have their definer's rights.
grant usage on schema bua to lambda, workflow;
grant select, insert, update, delete, maintain on all tables in schema bua to lambda, workflow;
grant execute on all routines in schema bua to lambda, workflow;
