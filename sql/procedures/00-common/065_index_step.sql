-- Purpose: the units that an index went on by; one that went down has rolled over at its digits, and without digits the
-- step is null. Inputs: the two indices, the register's digits. Reads nothing.
create or replace function bua.index_step(p_from numeric, p_to numeric, p_digits smallint) returns numeric
language sql immutable as $$
    select p_to - p_from + case when p_to < p_from then 10::numeric ^ p_digits else 0 end
$$;
