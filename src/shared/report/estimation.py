"""Which part of the accrual is estimated, by which method, and how far it may be off."""

from decimal import Decimal
from typing import Any

from shared.report.book import ZERO, Book, share
from shared.report.figures import dollars
from shared.report.part import Part
from shared.report.table import Section, Table, columns
from shared.report.ties import Tie

METHODS = {
    "RECENT_DAYS": "Interval meter: its own recent days",
    "READS": "Basic meter: its last actual reads",
    "READS_SEASON": "Basic meter: its reads and its own season",
    "BASE_AND_SEASON": "Gas: base load, zone's volume, own season",
    "DEGREE_DAYS": "Gas: base load, degree-days, own season",
    "OLDER_READS": "Older reads of its own",
    "OTHER_METER": "The meter before or after it",
    "INVOICES": "Its invoices on reads",
    "LAST_YEAR": "The same days last year",
    "OWN_DAILY_MEAN": "Its own mean day, no profile",
    "SEGMENT_AVERAGE": "The average of its segment: nothing of its own is known",
    "GIANT_DAILY_MEAN": "Giant: its own mean day",
    "DELIVERED_ESTIMATE": "Delivered as an estimate by the data provider",
}
_BY_METHOD = """
select coalesce(d.method, 'DELIVERED_ESTIMATE') as method, a.jurisdiction, a.fuel, a.journal_segment, count(distinct d.account_id),
       coalesce(sum(d.quantity) filter (where d.stream_type <> 'SOLAR'), 0), sum(d.net_amount) as net
from now.account_days d join now.account a using (account_id)
where d.line_state = 'ESTIMATED' and d.item_type <> 'DAILY' group by 1, 2, 3, 4 order by net desc, 1, 2, 3, 4
"""
_BANDS = """
select level, coalesce(fuel, ''), coalesce(segment, ''), net_estimated, net_without_band, net_mid, net_low_80, net_high_80, net_low_95, net_high_95,
       registers, rho_1, rho_2, rho_3, rho_4, coalesce(reason, '')
from now.bands order by case level when 'BOOK' then 1 when 'FUEL' then 2 else 3 end, fuel, net_estimated desc, segment
"""


def energy(book: Book) -> tuple[Decimal, Decimal]:
    """Dollars of energy (supply is no estimate), and the estimated part of them."""
    whole, part = book.row("select coalesce(sum(net_energy), 0), coalesce(sum(net_estimated), 0) from now.day")
    return whole, part


def compute(book: Book) -> Part:
    """The estimates by method and segment, their band, and how well the panel represents the others."""
    whole, part = energy(book)
    methods, bands = book.rows(_BY_METHOD), book.rows(_BANDS)
    total = sum((row[-1] for row in methods), ZERO)
    (summary,) = book.row("select coalesce(sum(net_estimated), 0.00) from now.accounts")
    banded = next((row[3] for row in bands if row[0] == "BOOK"), ZERO)
    lead = (
        f"{dollars(part)} or {share(part, whole) or 0} % of {dollars(whole)} energy is estimated. The supply charge is no estimate.",
        *_band_sentences(bands),
    )
    ties = (
        Tie("Estimated by method", "the account-days", total, "BUAAccountSummary.csv", summary),
        Tie("Estimated with a band and without", "estimate_bands.csv", banded, "BUAAccountSummary.csv", summary),
    )
    return Part(
        Section("estimation", "Estimation", lead, (_methods(methods, part), _bands(bands), _panel(bands))), ties
    )


def book_band(book: Book) -> dict[str, Decimal | None]:
    """The book's band in dollars: mid, low and high of 80 and 95 %, and what has none. None where no band can be given."""
    names = ("net_estimated", "net_without_band", "net_mid", "net_low_80", "net_high_80", "net_low_95", "net_high_95")
    rows = book.rows(f"select {', '.join(names)} from now.bands where level = 'BOOK'")
    return dict(zip(names, rows[0] if rows else [None] * len(names), strict=True))


def _band_sentences(bands: list[tuple[Any, ...]]) -> tuple[str, ...]:
    book = next((row for row in bands if row[0] == "BOOK"), None)
    if book is None or book[5] is None:
        return ("No honest band can be given for any of it.",)
    return (
        f"With 95 % probability {dollars(book[5])} of it are between {dollars(book[8])} and {dollars(book[9])}.",
        f"{dollars(book[4])} have no band: the table says why.",
    )


def _methods(rows: list[tuple[str, str, str, str, int, Decimal, Decimal]], part: Decimal) -> Table:
    heads = columns(
        "Method", "How", "State", "Fuel", "Segment", ("Accounts", "count"), ("kWh or MJ", "units"), ("Net $", "money"), ("Share %", "percent")
    )  # fmt: skip
    shown = [(row[0], METHODS.get(row[0], ""), *row[1:], share(row[-1], part)) for row in rows]
    total = ("Total", *[""] * 6, sum((row[-1] for row in rows), ZERO), share(part, part))
    return Table("methods", "Estimated energy by method and segment", heads, shown, total, shown=12)


def _bands(rows: list[tuple[object, ...]]) -> Table:
    heads = columns(
        "Level", "Fuel", "Segment", ("Estimated $", "money"), ("no band $", "money"), ("Mid $", "money"), ("Low 80 %", "money"),
        ("High 80 %", "money"), ("Low 95 %", "money"), ("High 95 %", "money"), "Why there is no band",
    )  # fmt: skip
    note = "Mid, low and high are of what has a band. Segments are taken as independent of each other."
    shown = [(str(row[0]).capitalize(), *row[1:10], row[15]) for row in rows]
    return Table("bands", "How far the estimates may be off", heads, shown, note=note)


def _panel(rows: list[tuple[object, ...]]) -> Table:
    heads = columns(
        "Fuel", "Segment", ("Panel meters", "count"), ("Last span", "ratio"), ("2nd last", "ratio"), ("3rd last", "ratio"), ("4th last", "ratio")
    )  # fmt: skip
    shown = [(*row[1:3], *row[10:15]) for row in rows if row[0] == "SEGMENT"]
    note = (
        "Used / estimated, over spans between reads of the segment's basic meters. Near 1 the interval meters are like the others; "
        "away from 1 it is the alarm for a panel that does not represent its segment."
    )
    return Table("representativeness", "Does the panel represent the others?", heads, shown, note=note)
