"""Last month's accrual against what was billed since, for the days that it accrued and that are billed now.

q is units, p dollars per unit, of the accrual (acc) and of the bill, per account, item and stream; c a time class:

    volume   = (q_bill - q_acc) x p_acc
    mix      = sum over c of (share of c in q_bill - share of c in q_acc) x q_bill x p_acc of c
    discount = sum over c of q_bill of c x list price of c x (expected share - share taken)
    rate     = what is left of bill - accrual: rates, and blocks of a rate

A bill says only its net dollars. What it took of the discount is whichever its price is nearest to: the expected share, all of it, or
nothing.

A bill that has other days too is shared: supply by days; energy by what was read on the days, and what is left of it by the
profile over the other days (PROFILE), or, where the account has none, by days (DAYS).
"""

from decimal import Decimal
from typing import Any

from shared.report import history as past
from shared.report.book import ZERO, Book, share
from shared.report.figures import dollars
from shared.report.history import Found
from shared.report.part import Part
from shared.report.table import Kind, Section, Table, columns
from shared.report.ties import Tie

LISTED = 50

# The days of the run before that are billed now, with their bill; whether everything on them had been read then.
_DAYS = """
create or replace temp table trueup_day as
select m.account_id, m.local_date, s.invoice_id, s.is_estimated_bill, b.units_estimated = 0 and b.net_estimated = 0 as is_read
from movement m
join before.day b using (account_id, local_date)
asof join now.account_spans s on s.account_id = m.account_id and m.local_date >= s.from_date
where m.line = 'billed' and s.invoice_id in (select invoice_id from now.billed_lines)
"""
# Of every bill: its days, how many of them were accrued, and which part of its days without a read the accrued ones are.
_BILLS = """
create or replace temp table trueup_bill as
with bill as (
    select invoice_id, account_id, min(from_date) as from_date, max(to_date) as to_date from now.billed_lines
    where invoice_id in (select invoice_id from trueup_day) group by 1, 2
),
profile_of as (
    select account_id, min(profile_key) as profile_key from (
        select account_id, profile_key from before.scalars union all select account_id, profile_key from now.scalars)
    where profile_key is not null group by 1
),
day as (
    select b.*, k.profile_key, unnest(generate_series(b.from_date, b.to_date, interval 1 day))::date as local_date
    from bill b left join profile_of k using (account_id)
)
select d.invoice_id, d.account_id, count(*) as days, count(t.local_date) as accrued_days,
       count(*) filter (where not coalesce(t.is_read, false)) as open_days,
       count(*) filter (where not t.is_read) as open_accrued_days,
       sum(p.units) filter (where not coalesce(t.is_read, false)) as open_units,
       sum(p.units) filter (where not t.is_read) as open_accrued_units,
       count(*) filter (where not coalesce(t.is_read, false) and p.units is null) as unprofiled_days
from day d
left join trueup_day t on t.account_id = d.account_id and t.local_date = d.local_date
left join now.profiles p on p.profile_key = d.profile_key and p.profile_date = d.local_date
group by 1, 2
"""
_SHARES = """
create or replace temp table trueup_share as
select *, case when accrued_days = days then 'WHOLE' when open_accrued_days = 0 then 'READS'
               when unprofiled_days = 0 and open_units > 0 then 'PROFILE' else 'DAYS' end as how,
       (case when accrued_days = days or open_days = 0 then 1 when open_accrued_days = 0 then 0
             when unprofiled_days = 0 and open_units > 0 then open_accrued_units / open_units
             else open_accrued_days / open_days end)::decimal(18,12) as part
from trueup_bill
"""
# The accrual and the bill of the same days, by time class.
_CLASSES = """
create or replace temp table trueup_class as
with acc as (
    select d.account_id, t.invoice_id, d.item_type, coalesce(d.stream_type, '') as stream_type, d.time_class, sum(d.quantity) as q,
           coalesce(sum(d.quantity) filter (where t.is_read), 0) as q_read, sum(d.net_amount) as net,
           coalesce(sum(d.net_amount) filter (where d.line_state = 'ESTIMATED' and d.item_type <> 'DAILY'), 0) as net_estimated,
           sum(d.discount_net_propensity) as expected, sum(d.discount_net) as whole
    from before.account_days d join trueup_day t using (account_id, local_date) group by all
),
billed as (
    select l.account_id, l.invoice_id, l.item_type, coalesce(l.stream_type, '') as stream_type, l.time_class,
           sum(l.quantity) as q, sum(l.net_amount) as net
    from now.billed_lines l where l.invoice_id in (select invoice_id from trueup_share) group by all
),
pair as (
    select account_id, invoice_id, item_type, stream_type, time_class, coalesce(a.q, 0) as q_acc, coalesce(a.net, 0) as net_acc,
           coalesce(a.net_estimated, 0) as net_estimated, coalesce(a.expected, 0) as expected, coalesce(a.whole, 0) as whole,
           coalesce(b.q, 0) as bill_q, coalesce(b.net, 0) as bill_net, coalesce(a.q_read, 0) as q_read
    from acc a full join billed b using (account_id, invoice_id, item_type, stream_type, time_class)
),
placed as (
    select p.*, s.how,
           (case when p.item_type = 'DAILY' then p.bill_q * s.accrued_days / s.days
                 when s.how = 'WHOLE' then p.bill_q
                 else p.q_read + (p.bill_q - p.q_read) * s.part end)::decimal(18,6) as q_bill
    from pair p join trueup_share s using (account_id, invoice_id)
)
select *, (case when bill_q = 0 then bill_net else bill_net * q_bill / bill_q end)::decimal(18,2) as net_bill from placed
"""
_LINES = """
create or replace temp table trueup_line as
with line as (
    select account_id, invoice_id, item_type, stream_type, any_value(how) as how, sum(q_acc) as q_acc, sum(q_bill) as q_bill,
           sum(net_acc) as net_acc, sum(net_bill) as net_bill, sum(net_estimated) as net_estimated
    from trueup_class group by 1, 2, 3, 4
),
class as (
    select c.account_id, c.invoice_id, c.item_type, c.stream_type,
           case when l.q_acc > 0 and l.q_bill > 0 and c.q_acc > 0
                then (c.q_bill - c.q_acc * l.q_bill / l.q_acc) * (c.net_acc / c.q_acc - l.net_acc / l.q_acc) else 0 end as mix,
           case when c.whole > 0 and c.q_bill > 0 and c.q_acc > 0 then c.q_bill * (c.net_acc + c.expected) / c.q_acc else 0 end as list,
           c.expected / nullif(c.net_acc + c.expected, 0) as expected_share,
           c.whole / nullif(c.net_acc + c.expected, 0) as whole_share, c.net_bill / nullif(c.q_bill, 0) as price,
           (c.net_acc + c.expected) / nullif(c.q_acc, 0) as list_price
    from trueup_class c join line l using (account_id, invoice_id, item_type, stream_type)
),
taken as (
    select *, abs(price - list_price * (1 - expected_share)) as off_expected, abs(price - list_price * (1 - whole_share)) as off_whole,
           abs(price - list_price) as off_list
    from class
),
split as (
    select account_id, invoice_id, item_type, stream_type, sum(mix::decimal(18,6)) as mix,
           sum((list * (expected_share - case when off_expected <= least(off_whole, off_list) then expected_share
                                              when off_whole < off_list then whole_share else 0 end))::decimal(18,6)) as discount
    from taken group by 1, 2, 3, 4
),
-- Without an accrual or without a bill for it, all of the difference is volume.
rounded as (
    select l.*, case when l.q_acc > 0 and l.q_bill > 0 then ((l.q_bill - l.q_acc) * l.net_acc / l.q_acc)::decimal(18,2)
                     else l.net_bill - l.net_acc end as volume,
           case when l.q_acc > 0 and l.q_bill > 0 then s.mix::decimal(18,2) else 0 end as mix,
           case when l.q_acc > 0 and l.q_bill > 0 then coalesce(s.discount, 0)::decimal(18,2) else 0 end as discount
    from line l join split s using (account_id, invoice_id, item_type, stream_type)
)
select r.*, r.net_bill - r.net_acc - r.volume - r.mix - r.discount as rate, b.is_estimated_bill as is_provisional,
       coalesce(a.method, 'ACTUAL') as method, a.node, k.fuel, k.jurisdiction, k.customer_class, k.journal_segment
from rounded r
join (select distinct account_id, invoice_id, coalesce(is_estimated_bill, false) as is_estimated_bill from trueup_day) b using (account_id, invoice_id)
left join before.accounts a using (account_id)
join before.account k using (account_id)
"""
_STEPS = (_DAYS, _BILLS, _SHARES, _CLASSES, _LINES)

_SUMS = """
sum(net_acc), sum(volume), sum(rate), sum(mix), sum(discount), sum(net_bill), sum(net_bill - net_acc),
coalesce(sum(net_bill) filter (where is_provisional), 0)
"""
# What was estimated then, against what a bill on reads says: by the segments of the bands.
_STRATA = """
select fuel, case when fuel = 'GAS' then jurisdiction || '|' || coalesce(node, '') else jurisdiction || '|' || customer_class || '|' || stream_type end,
       sum(volume), sum(net_estimated)
from trueup_line where not is_provisional and item_type <> 'DAILY' group by 1, 2 having sum(net_estimated) <> 0 order by 1, 2
"""


def prepare(book: Book) -> None:
    """Work the true-up out, as tables. Needs a run before and the roll-forward's movements."""
    for step in _STEPS:
        book.database.execute(step)


def history(book: Book) -> list[Found]:
    """What this run's true-up found by segment of the bands, of bills on reads, after what the runs before found."""
    if book.before is None:
        return []
    own = (book.now.run_date, book.before.run_date)
    return [
        *past.read(book.before.folder),
        *(
            Found(*own, fuel, segment, Decimal(estimated), Decimal(volume))
            for fuel, segment, volume, estimated in book.rows(_STRATA)
        ),
    ]


def bias(book: Book, estimated: Decimal) -> Decimal | None:
    """Dollars by which estimates of so many dollars are too low, if they are off as the last ones were; None if unknown."""
    if book.before is None:
        return None
    volume, accrued = book.row(
        "select coalesce(sum(volume), 0), coalesce(sum(net_estimated), 0) from trueup_line where not is_provisional and item_type <> 'DAILY'"
    )
    return (estimated * volume / accrued).quantize(Decimal("0.01")) if accrued else None


def compute(book: Book) -> Part:
    """The true-up by segment, method and item, with what is not settled yet."""
    if book.before is None:
        first = "There is no run before this one, so there is no accrual to compare with bills."
        return Part(Section("trueup", "True-up", (first,)))
    prepare(book)
    where = _where(book)
    lines = book.row(f"select {_SUMS} from trueup_line")
    total = [ZERO if value is None else Decimal(value) for value in lines]
    section = Section(
        "trueup",
        "True-up",
        _lead(book, total, where),
        (_settlement(where), *_tables(book), _accounts(book), _shared(book)),
    )
    opening = sum((net for _, net in where.values()), ZERO)
    (booked,) = book.row("select coalesce(sum(net_amount), 0.00) from before.accounts")
    ties = (
        Tie("True-up, by what became of the days", "the true-up", opening, "the run before", booked),
        Tie("True-up, accrued on the billed days", "the true-up", total[0], "the roll-forward", where["billed"][1]),
        Tie("True-up, accrual and its differences", "the true-up", sum(total[:5], ZERO), "the bills", total[5]),
    )
    return Part(section, ties)


_BECAME = {
    "billed": "Billed since", "no_lines": "Billed since, on a bill whose lines are not known: not compared",
    "timing": "Timing: still unbilled, carried, no error", "closed_out": "No supply any more, never billed",
    "left_window": "Left the window unbilled",
}  # fmt: skip
_WHERE = """
select case when m.line in ('now_read', 'revalued') then 'timing' when m.line = 'billed' and t.account_id is null then 'no_lines' else m.line end,
       sum(day_0), sum(net_0)
from movement m left join trueup_day t using (account_id, local_date) where day_0 = 1 group by 1
"""


def _where(book: Book) -> dict[str, tuple[int, Decimal]]:
    """Days and dollars of the run before, by what became of them."""
    found = {line: (days, net) for line, days, net in book.rows(_WHERE)}
    return {line: found.get(line, (0, ZERO)) for line in _BECAME}


def _lead(book: Book, total: list[Decimal], where: dict[str, tuple[int, Decimal]]) -> tuple[str, ...]:
    opening = sum((net for _, net in where.values()), ZERO)
    difference = total[6]
    settled = share(where["billed"][1], opening) or ZERO
    final = (
        "Everything that was billed was billed on reads."
        if not total[7]
        else f"{dollars(total[7])} of the bills are estimates themselves: what they say is provisional."
    )
    found = (
        f"Of {dollars(opening)} accrued by the run of {book.before.run_date if book.before else ''}, {settled} % are billed now. Customers were billed "
        f"{dollars(total[5])} for what had been accrued at {dollars(total[0])}: {dollars(abs(difference))} "
        f"{'more' if difference >= 0 else 'less'}, {abs(share(difference, total[0]) or ZERO):.2f} %."
    )
    return found, final


def _settlement(where: dict[str, tuple[int, Decimal]]) -> Table:
    opening = sum((net for _, net in where.values()), ZERO)
    rows = [(_BECAME[line], days, net, share(net, opening)) for line, (days, net) in where.items()]
    heads = columns("What became of the days", ("Days", "count"), ("Accrued $", "money"), ("Share %", "percent"))
    total = ("Total", sum(days for days, _ in where.values()), opening, share(opening, opening))
    return Table("trueup_days", "What became of the accrual of the run before", heads, rows, total)


_HEADS: tuple[tuple[str, Kind], ...] = (
    ("Accrued $", "money"), ("Volume", "money"), ("Rate and block", "money"), ("Time-class mix", "money"), ("Discount", "money"),
    ("Billed $", "money"), ("Difference $", "money"), ("of the bills estimates $", "money"), ("Difference %", "percent"),
)  # fmt: skip


def _tables(book: Book) -> list[Table]:
    groups = {
        "segment": ("By segment", {"State": "jurisdiction", "Fuel": "fuel", "Segment": "journal_segment"}),
        "method": ("By method of the estimate", {"Method": "method"}),
        "item": ("By item", {"Item": "item_type", "Stream": "stream_type"}),
    }
    tables = []
    for key, (title, by) in groups.items():
        names = ", ".join(by.values())
        rows = [
            (*row, share(row[-2], row[len(by)]))
            for row in book.rows(f"select {names}, {_SUMS} from trueup_line group by {names} order by {names}")
        ]
        sums = [sum((row[place] for row in rows), ZERO) for place in range(len(by), len(by) + 8)]
        total = ("Total", *[""] * (len(by) - 1), *sums, share(sums[6], sums[0]))
        tables.append(Table(f"trueup_{key}", title, columns(*by, *_HEADS), rows, total))
    return tables


def _accounts(book: Book) -> Table:
    statement = f"""
        select account_id, method, string_agg(distinct how, ', ' order by how), {_SUMS} from trueup_line group by 1, 2
        having sum(net_bill - net_acc) <> 0 order by abs(sum(net_bill - net_acc)) desc, 1 limit {LISTED}
    """
    rows: list[tuple[Any, ...]] = [(*row, share(row[-2], row[3])) for row in book.rows(statement)]
    return Table(
        "trueup_accounts",
        f"The {LISTED} largest differences",
        columns("Account", "Method", "Bill shared by", *_HEADS),
        rows,
        shown=10,
    )


def _shared(book: Book) -> Table:
    names = {
        "WHOLE": "The bill has no other days", "READS": "Every accrued day had been read", "PROFILE": "By the profile, over the days without a read",
        "DAYS": "By days: no profile is known",
    }  # fmt: skip
    rows = book.rows(
        "select how, count(distinct invoice_id), sum(net_acc), sum(net_bill) from trueup_line where item_type <> 'DAILY' group by 1 order by 3 desc, 1"
    )
    heads = columns("How a bill is shared", ("Bills", "count"), ("Accrued $", "money"), ("Billed $", "money"))
    return Table(
        "trueup_shared", "Bills that have other days too, energy", heads, [(names[row[0]], *row[1:]) for row in rows]
    )
