-- Failed work items are few, and every message of the export asks for them: without an index it would read all work items
-- of the run.
create index on bua.bua_control (run_date) where state = 'FAIL';
