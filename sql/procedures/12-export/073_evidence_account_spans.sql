-- Purpose: what became of every day of the period, account by account, in spans that cover it without overlap; a new span
-- begins where anything changes. A day that a valid invoice covers is BILLED (of two, the later issued one counts), an
-- unbilled one ACCRUED or EXCEPTION, any other OUTSIDE_SUPPLY. Of unbilled days, ageing is the first of these that is true:
--   ISSUED_LATE   an invoice that was issued after AS_AT covers the day
--   HOLE          a later day is billed
--   FINAL         the account was closed by TO, and this is left
--   OVERDUE_...   the next bill date is so many days before AS_AT
--   OVER_CYCLE    the unbilled days are more in a row than the cycle and the grace, although no bill is overdue
--   DUE_0_10, NOT_DUE   as due_state of the account's summary
-- recoverable: EXPIRED may no longer be billed to a customer who is not at fault (bua.back_billing_limit), EXPIRES_60 may not
-- 60 days after AS_AT. Inputs: run_date, accounts. Reads only.
create or replace function bua.evidence_account_spans(p_run_date date, p_account_ids text[])
returns table (account_id text, site_id text, fuel text, jurisdiction text, customer_class text, journal_segment text,
               from_date date, to_date date, days integer, state text, invoice_id text, issued_date date,
               is_estimated_bill boolean, ageing text, recoverable text)
language sql stable as $$
    with account as materialized (
        select a.*, r.period_start, r.period_end, r.as_at, s.site_id, coalesce(u.unbilled, '{}') as unbilled, u.last_billed_to,
               x.account_id is not null as is_excepted, r.as_at - a.next_bill_date as overdue_days,
               a.close_date < r.period_end as is_closed, a.billing_days + bua.parameter('grace_days') as longest,
               f.recoverable_from, f60.recoverable_from as recoverable_60
        from bua.run r
        join core.account a on a.account_id = any (p_account_ids) and a.open_date < r.period_end
            and coalesce(a.close_date, 'infinity') >= r.period_start
        left join bua.bua_list_unbilled_accounts(p_run_date, p_account_ids) u on u.account_id = a.account_id
        left join (select w.account_id, min(w.site_id) as site_id from bua.account_sites(p_account_ids) w group by 1) s
            on s.account_id = a.account_id
        left join bua.account_exception x on (x.run_date, x.account_id, x.item_key) = (p_run_date, a.account_id, '')
        left join lateral bua.recoverable_from(a.jurisdiction, a.fuel, r.as_at) f on true
        left join lateral bua.recoverable_from(a.jurisdiction, a.fuel, r.as_at + 60) f60 on true
        where r.run_date = p_run_date
    ),
    invoice as (
        select a.account_id, i.from_date, i.to_date from account a
        join core.invoice i on i.account_id = a.account_id and i.origin = 'PLATFORM' and not i.is_reversed
            and i.issued_date is not null and i.from_date < a.period_end and i.to_date >= a.period_start
    ),
    cut as (   -- the days on which something may change
        select a.account_id, a.period_start as on_date from account a
        union select a.account_id, a.period_end from account a
        union select i.account_id, c from invoice i cross join lateral (values (i.from_date), (i.to_date + 1)) c (c)
        union select a.account_id, c from account a cross join unnest(a.unbilled) w cross join lateral (values (lower(w)), (upper(w))) c (c)
        union select a.account_id, c from account a
              cross join lateral (values (a.recoverable_from), (a.recoverable_60), (a.last_billed_to + 1)) c (c)
    ),
    span as (
        select a.*, c.on_date as first_day, lead(c.on_date) over (partition by a.account_id order by c.on_date) as next_day
        from cut c join account a using (account_id)
        where c.on_date between a.period_start and a.period_end
    ),
    described as (
        select s.*, s.unbilled @> s.first_day as is_unbilled, b.invoice_id, b.issued_date, b.is_estimated,
               exists (select from core.invoice i
                       where i.account_id = s.account_id and i.from_date <= s.first_day and i.to_date >= s.first_day
                         and i.origin = 'PLATFORM' and not i.is_reversed and i.issued_date > s.as_at) as is_late,
               exists (select from unnest(s.unbilled) w where w @> s.first_day and upper(w) - lower(w) > s.longest) as is_long
        from span s
        left join lateral (
            select i.invoice_id, i.issued_date, i.is_estimated from core.invoice i
            where i.account_id = s.account_id and i.from_date <= s.first_day and i.to_date >= s.first_day
              and i.origin = 'PLATFORM' and not i.is_reversed and i.issued_date <= s.as_at
            order by i.issued_date desc, i.invoice_id desc limit 1
        ) b on true
        where s.next_day is not null
    ),
    aged as (
        select d.*,
               case when d.is_unbilled then case when d.is_excepted then 'EXCEPTION' else 'ACCRUED' end
                    when d.invoice_id is not null then 'BILLED' else 'OUTSIDE_SUPPLY' end as state,
               case when not d.is_unbilled then null
                    when d.is_late then 'ISSUED_LATE'
                    when d.first_day <= d.last_billed_to then 'HOLE'
                    when d.is_closed then 'FINAL'
                    when d.overdue_days > 90 then 'OVERDUE_OVER_90'
                    when d.overdue_days > 60 then 'OVERDUE_61_90'
                    when d.overdue_days > 30 then 'OVERDUE_31_60'
                    when d.overdue_days > 10 then 'OVERDUE_11_30'
                    when d.is_long then 'OVER_CYCLE'
                    when d.next_bill_date > d.as_at or d.next_bill_date is null and d.close_date is null then 'NOT_DUE'
                    else 'DUE_0_10' end as ageing,
               case when not d.is_unbilled then null
                    when d.first_day < d.recoverable_from then 'EXPIRED'
                    when d.first_day < d.recoverable_60 then 'EXPIRES_60' else 'WITHIN' end as recoverable
        from described d
    ),
    island as (   -- neighbours between which nothing changed
        select a.*, count(*) filter (where a.is_new) over (partition by a.account_id order by a.first_day) as number
        from (
            select a.*, (a.state, a.invoice_id, a.ageing, a.recoverable)
                        is distinct from lag((a.state, a.invoice_id, a.ageing, a.recoverable)) over (
                            partition by a.account_id order by a.first_day) as is_new
            from aged a
        ) a
    )
    select i.account_id, i.site_id, i.fuel, i.jurisdiction, i.customer_class, i.journal_segment, min(i.first_day),
           max(i.next_day) - 1, sum(i.next_day - i.first_day)::integer, i.state, i.invoice_id, i.issued_date, i.is_estimated,
           i.ageing, i.recoverable
    from island i
    group by i.account_id, i.number, i.site_id, i.fuel, i.jurisdiction, i.customer_class, i.journal_segment, i.state, i.invoice_id,
             i.issued_date, i.is_estimated, i.ageing, i.recoverable
$$;
