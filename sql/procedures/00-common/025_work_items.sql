-- The work items of a fan-out: planned set-based, claimed and finished in the transaction that does the work.

-- Purpose: plan a fan-out and return the batches that are still to be enqueued.
-- Inputs: attempt names one execution of the fan-out: a new one resets and plans, the same one again resumes.
-- Tables written: bua.fan_out, bua.fan_out_batch, bua.bua_control. Definer's rights: a partition is created, truncated and
-- analysed: it is read in the transaction that fills it, and without statistics a million rows pass for a few.
create or replace function bua.plan_work_items(p_run_date date, p_run_type text, p_attempt text, p_items_per_message integer)
returns table (batch_no integer, items text[])
language plpgsql security definer set search_path = bua, pg_temp as $$
declare
    v_control   text := bua.partition_name('bua_control', p_run_date);
    v_partition text := v_control || '_' || bua.snake_case(p_run_type);
    v_enqueued  integer[];
begin
    perform pg_advisory_xact_lock(hashtext('bua.fan_out'), hashtext(p_run_date || p_run_type));
    if not exists (select from bua.fan_out f where f.run_date = p_run_date and f.run_type = p_run_type and f.attempt = p_attempt) then
        delete from bua.fan_out f where f.run_date = p_run_date and f.run_type = p_run_type;
        execute format('create table if not exists bua.%I partition of bua.%I for values in (%L)', v_partition, v_control, p_run_type);
        execute format('truncate bua.%I', v_partition);
        call bua.reset_run_type(p_run_date, p_run_type);
        insert into bua.bua_control (run_date, run_type, item_key, batch_no)
        select p_run_date, p_run_type, i.item_key,
               1 + (row_number() over (order by i.sort_key, i.item_key) - 1) / p_items_per_message
        from bua.list_work_items(p_run_date, p_run_type) i;
        execute format('analyze bua.%I', v_partition);
        insert into bua.fan_out (run_date, run_type, attempt, planned)
        select p_run_date, p_run_type, p_attempt, count(*) from bua.bua_control c
        where c.run_date = p_run_date and c.run_type = p_run_type;
        insert into bua.fan_out_batch (run_date, run_type, batch_no)
        select distinct c.run_date, c.run_type, c.batch_no from bua.bua_control c
        where c.run_date = p_run_date and c.run_type = p_run_type;
    end if;
    -- Not a join: nothing is known yet of the batches that this transaction has written either.
    v_enqueued := array(select b.batch_no from bua.fan_out_batch b
                        where b.run_date = p_run_date and b.run_type = p_run_type and b.is_enqueued);
    return query
        select c.batch_no, array_agg(c.item_key order by c.item_key)
        from bua.bua_control c
        where c.run_date = p_run_date and c.run_type = p_run_type and c.batch_no <> all (v_enqueued)
        group by c.batch_no order by c.batch_no;
end $$;

create or replace procedure bua.mark_enqueued(p_run_date date, p_run_type text, p_attempt text, p_batch_nos integer[])
language sql as $$
    update bua.fan_out_batch b set is_enqueued = true, sent_at = clock_timestamp(), sends = sends + 1
    from bua.fan_out f
    where (f.run_date, f.run_type, f.attempt) = (p_run_date, p_run_type, p_attempt)
      and (b.run_date, b.run_type) = (f.run_date, f.run_type) and b.batch_no = any (p_batch_nos)
$$;

-- Purpose: those of the items that are still to be done, locked until the transaction ends. A message delivered
-- twice waits here for the first and then finds nothing; one of an earlier attempt finds nothing at all.
create or replace function bua.claim_work_items(p_run_date date, p_run_type text, p_attempt text, p_items text[])
returns setof text
language sql as $$
    select c.item_key from bua.bua_control c
    where c.run_date = p_run_date and c.run_type = p_run_type and c.item_key = any (p_items) and c.state = 'PENDING'
      and exists (select from bua.fan_out f
                  where (f.run_date, f.run_type, f.attempt) = (p_run_date, p_run_type, p_attempt))
    order by c.item_key
    for update of c
$$;

create or replace procedure bua.finish_work_items(p_run_date date, p_run_type text, p_items text[])
language sql as $$
    update bua.bua_control set state = 'DONE'
    where run_date = p_run_date and run_type = p_run_type and item_key = any (p_items) and state = 'PENDING'
$$;

create or replace procedure bua.fail_work_items(p_run_date date, p_run_type text, p_attempt text, p_items text[], p_reason text)
language sql as $$
    update bua.bua_control set state = 'FAIL', reason = p_reason
    where run_date = p_run_date and run_type = p_run_type and item_key = any (p_items) and state = 'PENDING'
      and exists (select from bua.fan_out f
                  where (f.run_date, f.run_type, f.attempt) = (p_run_date, p_run_type, p_attempt))
$$;

create or replace function bua.count_work_items(p_run_date date, p_run_type text, p_attempt text)
returns table (planned bigint, pending bigint, done bigint, skip bigint, fail bigint)
language sql stable as $$
    select count(*), count(*) filter (where state = 'PENDING'), count(*) filter (where state = 'DONE'),
           count(*) filter (where state = 'SKIP'), count(*) filter (where state = 'FAIL')
    from bua.bua_control c
    where run_date = p_run_date and run_type = p_run_type
      and exists (select from bua.fan_out f
                  where (f.run_date, f.run_type, f.attempt) = (p_run_date, p_run_type, p_attempt))
$$;

-- Purpose: batches that were sent so many seconds ago and still have pending items: how often each was sent, and the items.
create or replace function bua.overdue_batches(p_run_date date, p_run_type text, p_attempt text, p_seconds double precision)
returns table (batch_no integer, sends integer, items text[])
language sql stable as $$
    select b.batch_no, b.sends, array_agg(c.item_key order by c.item_key)
    from bua.fan_out f
    join bua.fan_out_batch b using (run_date, run_type)
    join bua.bua_control c on (c.run_date, c.run_type, c.batch_no) = (b.run_date, b.run_type, b.batch_no)
    where (f.run_date, f.run_type, f.attempt) = (p_run_date, p_run_type, p_attempt)
      and c.state = 'PENDING' and b.sent_at < clock_timestamp() - make_interval(secs => p_seconds)
    group by b.batch_no, b.sends order by b.batch_no
$$;

create or replace procedure bua.skip_work_items(p_run_date date, p_run_type text, p_items text[], p_reason text)
language sql as $$
    update bua.bua_control set state = 'SKIP', reason = p_reason
    where run_date = p_run_date and run_type = p_run_type and item_key = any (p_items) and state = 'PENDING'
$$;
