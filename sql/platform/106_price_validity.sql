-- Purpose: the days on which each price of a plan is valid: one row per plan, item, time class and first day, never
-- overlapping. A later price ends an earlier one that has no end or ends too late, so that no unit is priced twice.
-- The blocks of a price share its row. valid_to is inclusive; infinity means still valid.
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
