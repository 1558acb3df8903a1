"""From the accrual of the run before to this one, per account-day.

With U0 and U1 the unbilled days of the two runs, and v0 and v1 what the days are worth in each:
A1 - A0 = sum of v1 over U1 less U0 - sum of v0 over U0 less U1 + sum of (v1 - v0) over the days in both.
"""

from decimal import Decimal

from shared.report.book import ZERO, Book
from shared.report.exports import Export
from shared.report.figures import dollars
from shared.report.part import Part
from shared.report.table import Kind, Section, Table, columns
from shared.report.ties import Tie

LINES = {
    "opening": "Opening: booked by the run before",
    "new_month": "+ days used since",
    "reopened": "+ days reopened: reversed, or supply that was not known",
    "billed": "\N{MINUS SIGN} days billed since",
    "closed_out": "\N{MINUS SIGN} days closed out: no supply any more",
    "left_window": "\N{MINUS SIGN} days that left the window, still unbilled",
    "now_read": "\N{PLUS-MINUS SIGN} revalued: estimated then, read now",
    "revalued": "\N{PLUS-MINUS SIGN} revalued: other changes",
    "moved": "\N{PLUS-MINUS SIGN} moved to another segment",
    "closing": "Closing: this run",
}
_CHANGES = tuple(LINES)[1:-1]

# What became of each account-day that is unbilled in one of the runs. A day that is not unbilled now is looked up in this
# run's spans: the last span that begins on or before it, if it reaches as far.
_MOVEMENT = """
create table movement as
with pair as (
    select account_id, local_date, b.account_id is not null as was, n.account_id is not null as is_now,
           b.net as net_0, n.net as net_1, b.units as units_0, n.units as units_1, b.exported as exported_0, n.exported as exported_1,
           b.units_estimated as estimated_0, n.units_estimated as estimated_1
    from before.day b full join now.day n using (account_id, local_date)
)
select p.account_id, p.local_date,
       case when was and is_now then case when estimated_0 > 0 and estimated_1 = 0 then 'now_read' else 'revalued' end
            when is_now then case when p.local_date > $to then 'new_month' else 'reopened' end
            when p.local_date < $from then 'left_window'
            when s.state = 'BILLED' and s.to_date >= p.local_date then 'billed'
            else 'closed_out' end as line,
       coalesce(net_0, 0) as net_0, coalesce(net_1, 0) as net_1, coalesce(units_0, 0) as units_0, coalesce(units_1, 0) as units_1,
       coalesce(exported_0, 0) as exported_0, coalesce(exported_1, 0) as exported_1, was::integer as day_0, is_now::integer as day_1
from pair p
asof left join now.account_spans s on s.account_id = p.account_id and p.local_date >= s.from_date
"""
# Both sides of every account-day in its own segment; what an account brings along when it changes segment is `moved`.
_FLOWS = """
with placed as (
    select m.*, n.fuel as fuel_1, n.jurisdiction as state_1, n.journal_segment as segment_1,
           b.fuel as fuel_0, b.jurisdiction as state_0, b.journal_segment as segment_0
    from movement m left join now.account n using (account_id) left join before.account b using (account_id)
),
flow as (
    select state_0 as state, fuel_0 as fuel, segment_0 as segment, 'opening' as line, day_0 as days, net_0 as net, units_0 as units, exported_0 as exported
    from placed where day_0 = 1
    union all
    select state_1, fuel_1, segment_1, 'closing', day_1, net_1, units_1, exported_1 from placed where day_1 = 1
    union all
    select case when day_1 = 1 then state_1 else state_0 end, case when day_1 = 1 then fuel_1 else fuel_0 end,
           case when day_1 = 1 then segment_1 else segment_0 end, line, day_1 - day_0, net_1 - net_0, units_1 - units_0, exported_1 - exported_0
    from placed
    union all
    select state_1, fuel_1, segment_1, 'moved', day_0, net_0, units_0, exported_0 from placed
    where day_0 = 1 and day_1 = 1 and (state_0, fuel_0, segment_0) is distinct from (state_1, fuel_1, segment_1)
    union all
    select state_0, fuel_0, segment_0, 'moved', -day_0, -net_0, -units_0, -exported_0 from placed
    where day_0 = 1 and day_1 = 1 and (state_0, fuel_0, segment_0) is distinct from (state_1, fuel_1, segment_1)
)
select state, fuel, segment, line, sum(days), sum(net), sum(units), sum(exported) from flow group by 1, 2, 3, 4
"""
Key = tuple[str, str, str]
Flow = tuple[int, Decimal, Decimal, Decimal]  # days, net, units, exported


def flows(book: Book, before: Export) -> dict[Key, dict[str, Flow]]:
    """Per state, fuel and segment: every line of the roll-forward."""
    book.database.execute("drop table if exists movement")
    book.database.execute(_MOVEMENT, {"to": before.day("to"), "from": book.now.day("from")})
    found: dict[Key, dict[str, Flow]] = {}
    for state, fuel, segment, line, *values in book.rows(_FLOWS):
        found.setdefault((state, fuel, segment), {})[line] = (values[0], values[1], values[2], values[3])
    return dict(sorted(found.items()))


def compute(book: Book) -> Part:
    """The roll-forward, or one sentence that there is no run before."""
    if book.before is None:
        first = "There is no run before this one, so there is nothing to roll forward from. The next run will have it."
        return Part(Section("rollforward", "Roll-forward", (first,)))
    found = flows(book, book.before)
    totals = {line: _sum(found, line) for line in LINES}
    change = totals["closing"][1] - totals["opening"][1]
    lead = (
        f"The accrual {'rose' if change >= 0 else 'fell'} by {dollars(abs(change))} since the run of {book.before.run_date}: "
        f"{dollars(totals['new_month'][1])} were used since, {dollars(-totals['billed'][1])} were billed."
    )
    section = Section("rollforward", "Roll-forward", (lead,), (_table(found), _late(book), *_by_segment(found)))
    return Part(section, _ties(book, totals))


def _sum(found: dict[Key, dict[str, Flow]], line: str, fuel: str | None = None) -> Flow:
    own = [flow[line] for key, flow in found.items() if line in flow and fuel in (None, key[1])]
    return (
        sum(one[0] for one in own), sum((one[1] for one in own), ZERO),
        sum((one[2] for one in own), ZERO), sum((one[3] for one in own), ZERO),
    )  # fmt: skip


def _table(found: dict[Key, dict[str, Flow]]) -> Table:
    heads = columns(
        "",
        ("Net $", "money"),
        ("Account-days", "count"),
        ("kWh used", "units"),
        ("MJ used", "units"),
        ("kWh exported", "units"),
    )
    rows = []
    for line, text in LINES.items():
        days, net, _, exported = _sum(found, line)
        rows.append((text, net, days, _sum(found, line, "ELECTRICITY")[2], _sum(found, line, "GAS")[2], exported))
    note = "Every line sums account-days: the day's dollars of this run where it is unbilled now, less those of the run before where it was."
    return Table("rollforward", "From the run before to this one", heads, rows[:-1], rows[-1], note)


_LATE = "select count(*), coalesce(sum(net), 0) from {schema}.day where ageing = 'ISSUED_LATE'"


def _late(book: Book) -> Table:
    """Billed but not issued by the cut-off: accrued, and on a line of its own."""
    rows = [
        (name, *book.row(_LATE.format(schema=schema))) for name, schema in (("Opening", "before"), ("Closing", "now"))
    ]
    heads = columns("Of the balance", ("Account-days", "count"), ("Net $", "money"))
    return Table("rollforward_late", "Billed, but issued after the cut-off: part of the balances", heads, rows)


def _by_segment(found: dict[Key, dict[str, Flow]]) -> tuple[Table, Table]:
    short = (
        "Opening",
        "Used since",
        "Reopened",
        "Billed",
        "Closed out",
        "Left window",
        "Now read",
        "Other",
        "Moved",
        "Closing",
    )
    tables = []
    shown: tuple[tuple[str, str, int, Kind], ...] = (
        ("dollars", "dollars", 1, "money"),
        ("units", "kWh or MJ used", 2, "units"),
    )
    for key, title, place, kind in shown:
        heads = columns("State", "Fuel", "Segment", *((name, kind) for name in short))
        rows = [
            (*who, *(flow.get(line, (0, ZERO, ZERO, ZERO))[place] for line in LINES)) for who, flow in found.items()
        ]
        total = ("Total", "", "", *(_sum(found, line)[1] for line in LINES)) if place == 1 else None
        tables.append(Table(f"rollforward_{key}", f"By segment, {title}", heads, rows, total))
    return tables[0], tables[1]


def _ties(book: Book, totals: dict[str, Flow]) -> tuple[Tie, ...]:
    (booked,) = book.row("select coalesce(sum(net_amount), 0.00) from before.accounts")
    opening, closing = totals["opening"], totals["closing"]
    moved = [sum((totals[line][place] for line in _CHANGES), ZERO) for place in (0, 1, 2, 3)]
    names = ("account-days", "net", "units", "exported")
    steps = tuple(
        Tie(
            f"Roll-forward, {name}", "opening and its changes", opening[place] + moved[place], "closing", closing[place]
        )
        for place, name in enumerate(names)
    )
    return (
        Tie("Opening", "the roll-forward", opening[1], "the run before", booked),
        Tie("Closing", "the roll-forward", closing[1], "BUAAccountSummary.csv", book.total),
        *steps,
    )
