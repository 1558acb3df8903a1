-- Purpose: the blocks of each price, with the units per bill day at which they begin and end. Where the last block has a
-- limit, a row without plan_item_id and rate stands for the units beyond it.
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
