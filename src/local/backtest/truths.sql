-- What has been read of the accounts' unbilled days in pg_temp.asked, and whether that is all of them. Needs known_days.sql.
with day as (
    select n.account_id, sum(bua.count_days(n.days * a.unbilled)) as days
    from asked a join needed n using (account_id) group by 1
),
known as (
    select a.account_id, count(*) as days, sum(k.units) as units
    from asked a join known_day k on k.account_id = a.account_id and a.unbilled @> k.local_date
    where k.share = 1 group by 1
)
select d.account_id, coalesce(k.units, 0), coalesce(k.days, 0) = d.days from day d left join known k using (account_id);
