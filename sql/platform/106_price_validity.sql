-- From when to when each price of a plan holds: one row per plan, item, time class and first day, never overlapping.
-- A later price ends an earlier one whose own end is open or too late, so that no unit is ever priced twice.
-- The blocks of one validity share its row; valid_to is inclusive, 'infinity' = still valid.

create or replace view core.price_validity as
with validity as (
    select plan_code, item_type, time_class, valid_from, max(coalesce(valid_to, 'infinity')) as valid_to
      from core.plan_item
     group by plan_code, item_type, time_class, valid_from
)
select plan_code, item_type, time_class, valid_from,
       least(valid_to, lead(valid_from) over later - 1) as valid_to
  from validity
window later as (partition by plan_code, item_type, time_class order by valid_from);

-- Which of a plan's items prices a meter's stream.
create or replace function core.priced_item(p_stream_type text) returns text
language sql immutable
return case p_stream_type when 'PRIMARY' then 'USAGE' when 'CONTROL' then 'CONTROL' when 'SOLAR' then 'FEED_IN' end;

-- The blocks of each price, with the units per bill day at which they begin and end. Where the last block has a limit,
-- a row without plan_item_id and rate stands for what lies beyond it.
create or replace view core.price_block as
with block as (
    select i.*, sum(coalesce(block_limit_per_day, 'infinity')) over price as ends_at
      from core.plan_item i
    window price as (partition by plan_code, item_type, time_class, valid_from order by block_number)
)
select plan_item_id, plan_code, item_type, time_class, valid_from as price_from, rate,
       discount_percent * 0.01 as discount, discount_propensity,
       coalesce(lag(ends_at) over price, 0) as begins_at, ends_at
  from block
window price as (partition by plan_code, item_type, time_class, valid_from order by block_number)
union all
select null, plan_code, item_type, time_class, valid_from, null, 0, 0, max(ends_at), 'infinity'
  from block
 group by plan_code, item_type, time_class, valid_from
having max(ends_at) < 'infinity';
