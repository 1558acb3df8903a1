"""The unbilled account-days by how long they have waited, and by how long they can still be billed."""

from decimal import Decimal

from shared.report.book import ZERO, Book, share
from shared.report.figures import dollars
from shared.report.part import Part
from shared.report.table import Section, Table, columns
from shared.report.ties import Tie

# In the order of the page: what it is called, and whether somebody has to act before it will be billed.
AGES = {
    "NOT_DUE": ("Not due: waiting for its cycle", False),
    "DUE_0_10": ("Due, 0 to 10 days", False),
    "ISSUED_LATE": ("Billed, issued after the cut-off", False),
    "OVERDUE_11_30": ("Overdue, 11 to 30 days", True),
    "OVERDUE_31_60": ("Overdue, 31 to 60 days", True),
    "OVERDUE_61_90": ("Overdue, 61 to 90 days", True),
    "OVERDUE_OVER_90": ("Overdue, over 90 days", True),
    "OVER_CYCLE": ("More days than the cycle", True),
    "HOLE": ("Hole: a bill was reversed and not replaced", True),
    "FINAL": ("Closed, no final bill", True),
}
STUCK = tuple(key for key, (_, is_stuck) in AGES.items() if is_stuck)
LIMITS = {
    "WITHIN": "Can be billed", "EXPIRES_60": "Expires within 60 days", "EXPIRED": "Expired: not recoverable",
}  # fmt: skip

_BY_AGE = """
select ageing, count(distinct account_id), count(*) filter (where is_unbilled), sum(net), sum(net_estimated),
       coalesce(sum(net) filter (where recoverable = 'WITHIN'), 0), coalesce(sum(net) filter (where recoverable = 'EXPIRES_60'), 0),
       coalesce(sum(net) filter (where recoverable = 'EXPIRED'), 0)
from now.day group by 1
"""
_STUCK_ACCOUNTS = """
select d.account_id, a.fuel, a.jurisdiction, a.journal_segment, d.ageing, min(d.local_date), max(d.local_date), count(*), sum(d.net) as net
from now.day d join now.account a using (account_id) where d.ageing in ({marks})
group by all order by net desc, 1, 5 limit {limit}
"""
_EXPIRED = """
select d.account_id, a.fuel, a.jurisdiction, a.journal_segment, d.recoverable, min(d.local_date), max(d.local_date), count(*), sum(d.net) as net
from now.day d join now.account a using (account_id) where d.recoverable <> 'WITHIN'
group by all order by d.recoverable, net desc, 1 limit {limit}
"""
_USED_LIMITS = """
select jurisdiction, fuel, months, valid_from, recoverable_from from now.back_billing_limits order by 1, 2
"""
LISTED = 50


def by_age(book: Book) -> list[tuple[str, int, int, Decimal, Decimal, Decimal, Decimal, Decimal]]:
    """Per age: accounts, days, net, its estimated part, and net by recoverability. In the order of AGES."""
    found = {row[0]: row for row in book.rows(_BY_AGE)}
    order = [*AGES, *sorted((key for key in found if key not in AGES), key=str)]
    return [found[key] for key in order if key in found]


def stuck(book: Book) -> tuple[int, Decimal]:
    """Accounts and dollars that will not be billed unless somebody acts."""
    marks = ", ".join("?" for _ in STUCK)
    accounts, net = book.row(
        f"select count(distinct account_id), coalesce(sum(net), 0) from now.day where ageing in ({marks})", STUCK
    )
    return accounts, net


def expired(book: Book) -> tuple[int, Decimal]:
    """Accounts and dollars past the back-billing limit: a memo, booked all the same."""
    accounts, net = book.row(
        "select count(distinct account_id), coalesce(sum(net), 0) from now.day where recoverable = 'EXPIRED'"
    )
    return accounts, net


def compute(book: Book) -> Part:
    """The ageing; its total is the accrual."""
    rows = by_age(book)
    net = sum((row[3] for row in rows), ZERO)
    accounts, waiting = stuck(book)
    lead = (
        f"{dollars(waiting)} of {accounts} accounts will not be billed unless somebody acts: they are overdue, over their cycle, "
        "a hole, or closed without a final bill. What is not due only waits for its cycle."
    )
    tables = (_ages(rows), *_lists(book), _used_limits(book))
    return Part(
        Section("ageing", "Ageing", (lead,), tables),
        (Tie("Net by age", "the ageing", net, "BUAAccountSummary.csv", book.total),),
    )


def _ages(rows: list[tuple[str, int, int, Decimal, Decimal, Decimal, Decimal, Decimal]]) -> Table:
    total = sum((row[3] for row in rows), ZERO)
    heads = columns(
        "Waiting", ("Accounts", "count"), ("Days", "count"), ("Net $", "money"), ("Share %", "percent"), ("of it estimated $", "money"),
        *((f"{name} $", "money") for name in LIMITS.values()),
    )  # fmt: skip
    shown = [
        (AGES.get(row[0], (row[0] or "No span", False))[0], *row[1:4], share(row[3], total), *row[4:]) for row in rows
    ]
    sums = (
        "Total",
        "",
        sum(row[2] for row in rows),
        total,
        share(total, total),
        *(sum((row[n] for row in rows), ZERO) for n in range(4, 8)),
    )
    note = "Per span of days, so an account can be in several rows. The last three columns are the back-billing limits, a memo: nothing is booked less."
    return Table("ageing", "How long it has waited", heads, shown, sums, note)


def _lists(book: Book) -> tuple[Table, Table]:
    heads = columns(
        "Account",
        "Fuel",
        "State",
        "Segment",
        "Why",
        ("From", "date"),
        ("To", "date"),
        ("Days", "count"),
        ("Net $", "money"),
    )
    marks = ", ".join("?" for _ in STUCK)
    late = [
        (*row[:4], AGES[row[4]][0], *row[5:])
        for row in book.rows(_STUCK_ACCOUNTS.format(marks=marks, limit=LISTED), STUCK)
    ]
    limits = [(*row[:4], LIMITS[row[4]], *row[5:]) for row in book.rows(_EXPIRED.format(limit=LISTED))]
    return (
        Table("stuck", f"What is stuck: the largest {LISTED}", heads, late, shown=10),
        Table("limits", f"Past its back-billing limit, or soon: the largest {LISTED}", heads, limits, shown=10),
    )


def _used_limits(book: Book) -> Table:
    heads = columns("State", "Fuel", ("Months back", "count"), ("Valid from", "date"), ("Can be billed from", "date"))
    note = "Of a customer who is not at fault, as at the last day by which a bill had to be issued to count."
    return Table("used_limits", "Back-billing limits of this run", heads, book.rows(_USED_LIMITS), note=note)
