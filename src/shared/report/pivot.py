"""The accrual by state, fuel, class, segment, month, item and time class. What goes to the grid is apart from the units."""

from decimal import Decimal

from shared.report.book import ZERO, Book
from shared.report.part import Part
from shared.report.table import Column, Section, Table, columns
from shared.report.ties import Tie

_VALUES = """
    count(distinct l.account_id), coalesce(sum(l.quantity) filter (where a.uom = 'KWH' and {use}), 0) as kwh,
    coalesce(sum(l.quantity) filter (where a.uom = 'MJ' and {use}), 0) as mj,
    coalesce(sum(l.quantity) filter (where l.stream_type = 'SOLAR'), 0) as exported, sum(l.net_amount) as net,
    sum(l.gst_amount) as gst, sum(l.discount_net_propensity) as discount
""".format(use="l.item_type <> 'DAILY' and l.stream_type <> 'SOLAR'")
_HEADS = columns(
    ("Accounts", "count"), ("kWh used", "units"), ("MJ used", "units"), ("kWh exported", "units"), ("Net $", "money"),
    ("GST $", "money"), ("Expected discount $", "money"),
)  # fmt: skip

_BY = {
    "state, fuel and segment": {
        "State": "a.jurisdiction", "Fuel": "a.fuel", "Class": "a.customer_class", "Segment": "a.journal_segment",
    },
    "month": {"Month": "l.year_month"},
    "item": {"Item": "l.item_type", "Stream": "coalesce(l.stream_type, '')", "Read or estimated": "l.line_state"},
}  # fmt: skip
_ALL = {
    **_BY["state, fuel and segment"], **_BY["month"], **_BY["item"], "Time class": "l.time_class",
}  # fmt: skip


def compute(book: Book) -> Part:
    """The pivot; its total is the accrual."""
    short = [_table(book, f"pivot_{number}", f"By {name}", by) for number, (name, by) in enumerate(_BY.items(), 1)]
    full = _table(book, "pivot", "Everything, to filter", _ALL, shown=0)
    section = Section(
        "pivot", "Pivot", ("All dollars are ex GST, after the discounts that are expected.",), (*short, full)
    )
    total = sum((Decimal(row[len(_ALL) + 4]) for row in full.rows), ZERO)
    return Part(section, (Tie("Net by pivot", "the pivot", total, "BUAAccountSummary.csv", book.total),))


def _table(book: Book, key: str, title: str, by: dict[str, str], shown: int | None = None) -> Table:
    groups = ", ".join(by.values())
    rows = book.rows(
        f"select {groups}, {_VALUES} from now.lines l join now.accounts a using (account_id) group by {groups} order by {groups}"
    )
    (total,) = book.rows(f"select {_VALUES} from now.lines l join now.accounts a using (account_id)")
    heads = (*(Column(name) for name in by), *_HEADS)
    note = "An account counts once in every row that it is in." if "a.jurisdiction" not in by.values() else ""
    return Table(key, title, heads, rows, ("Total", *[""] * (len(by) - 1), *total), note, shown)
