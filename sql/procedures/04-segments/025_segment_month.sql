-- Purpose: the work item that a segment's market day belongs to, such as NSW|RES|PRIMARY|2026-10.
-- Inputs: segment, market day. Reads nothing.
create or replace function bua.segment_month(p_segment text, p_date date) returns text
language sql stable as $$ select p_segment || '|' || to_char(p_date, 'YYYY-MM') $$;
