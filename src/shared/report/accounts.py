"""The largest accounts, and those that moved most."""

from decimal import Decimal

from shared.report.book import ZERO, Book, share
from shared.report.part import Part
from shared.report.table import Section, Table, columns

LISTED = 50

_TOP = """
select account_id, fuel, jurisdiction, journal_segment, due_state, unbilled_days, uom, units_total, net_amount, net_estimated, method, coalesce(flags, '')
from now.accounts order by net_amount desc, account_id limit {limit}
"""
_MOVERS = """
select m.account_id, coalesce(n.fuel, b.fuel), coalesce(n.jurisdiction, b.jurisdiction), coalesce(n.journal_segment, b.journal_segment),
       sum(net_0) as opening, sum(net_1 - net_0) filter (where line in ('new_month', 'reopened')) as used,
       sum(net_1 - net_0) filter (where line = 'billed') as billed, sum(net_1 - net_0) filter (where line in ('closed_out', 'left_window')) as gone,
       sum(net_1 - net_0) filter (where line in ('now_read', 'revalued')) as revalued, sum(net_1) as closing, sum(net_1 - net_0) as change
from movement m left join now.account n using (account_id) left join before.account b using (account_id)
group by 1, 2, 3, 4 having change <> 0 order by abs(change) desc, 1 limit {limit}
"""


def concentration(book: Book, limit: int) -> list[tuple[str, Decimal]]:
    """The largest accounts and their net dollars."""
    return [(row[0], row[8]) for row in book.rows(_TOP.format(limit=limit))]


def compute(book: Book) -> Part:
    """Top accounts with their cumulative share, and movers. The movers need the roll-forward's movements."""
    top = book.rows(_TOP.format(limit=LISTED))
    total = book.total
    ten = sum((row[8] for row in top[:10]), ZERO)
    lead = (
        [
            f"The ten largest accounts are {share(ten, total) or 0} % of the book; the largest alone is {share(top[0][8], total) or 0} %."
        ]
        if top
        else []
    )
    tables = [_top(top, total)]
    if book.before is not None:
        tables.append(_movers(book))
    else:
        lead.append("There is no run before, so nothing has moved yet.")
    return Part(Section("accounts", "Top accounts and movers", lead, tables))


def _top(rows: list[tuple[object, ...]], total: Decimal) -> Table:
    heads = columns(
        "Account", "Fuel", "State", "Segment", "Due", ("Days", "count"), "Unit", ("Units", "units"), ("Net $", "money"),
        ("of it estimated $", "money"), ("Share %", "percent"), ("Cumulative %", "percent"), "Method", "Flags",
    )  # fmt: skip
    shown, running = [], ZERO
    for row in rows:
        net = Decimal(str(row[8]))
        running += net
        shown.append((*row[:10], share(net, total), share(running, total), *row[10:]))
    return Table("top", f"The {LISTED} largest accounts", heads, shown, shown=10)


def _movers(book: Book) -> Table:
    heads = columns(
        "Account", "Fuel", "State", "Segment",
        *((name, "money") for name in ("Opening $", "Used or reopened", "Billed", "Closed or left", "Revalued", "Closing $", "Change $")),
    )  # fmt: skip
    rows = [tuple(ZERO if value is None else value for value in row) for row in book.rows(_MOVERS.format(limit=LISTED))]
    return Table("movers", f"The {LISTED} accounts that moved most", heads, rows, shown=10)
