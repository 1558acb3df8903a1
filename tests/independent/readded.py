"""Every total of a report, added again from the exported CSV files with the csv module and decimals."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from shared.report.make import Report
from shared.report.table import Table

Row = dict[str, str]
Sums = dict[tuple[Any, ...], Decimal]
ZERO = Decimal(0)
# The ledger accounts of src/shared/report/finance.yaml: the side and which lines they take, before the discount or after.
JOURNAL: dict[str, tuple[int, Callable[[Row], Decimal]]] = {
    "Accrued income": (1, lambda line: ZERO if _is(line, "FEED_IN") else _net(line)),
    "Discounts": (1, lambda line: ZERO if _is(line, "FEED_IN") else Decimal(line["discount_net_propensity"])),
    "Usage revenue": (-1, lambda line: _gross(line) if _is(line, "USAGE") else ZERO),
    "Supply revenue": (-1, lambda line: _gross(line) if _is(line, "DAILY") else ZERO),
    "Controlled load revenue": (-1, lambda line: _gross(line) if _is(line, "CONTROL") else ZERO),
    "Feed-in cost": (1, lambda line: -_net(line) if _is(line, "FEED_IN") else ZERO),
    "Feed-in accrual": (-1, lambda line: -_net(line) if _is(line, "FEED_IN") else ZERO),
}


def _is(line: Row, item: str) -> bool:
    return line["item_type"] == item


def _net(line: Row) -> Decimal:
    return Decimal(line["net_amount"])


def _gross(line: Row) -> Decimal:
    return Decimal(line["net_amount"]) + Decimal(line["discount_net_propensity"])


def read(folder: Path, name: str) -> list[Row]:
    """The rows of a CSV file."""
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def differences(report: Report, folder: Path, written: Path) -> Iterator[str]:
    """Sentences, one for each total that the CSV files of `folder` do not add up to; the report's own files are in `written`."""
    accounts = {row["account_id"]: row for row in read(folder, "BUAAccountSummary")}
    lines = [{**accounts[row["account_id"]], **row} for row in read(folder, "InvoiceLineItemMonthly")]
    tables = {table.key: table for section in report.sections for table in section.tables}
    yield from _headline(report, list(accounts.values()), lines)
    yield from _pivots(tables, lines)
    yield from _parts(tables, list(accounts.values()))
    yield from _journal(written, lines)
    yield from _columns(report)


def _headline(report: Report, accounts: list[Row], lines: list[Row]) -> Iterator[str]:
    found = report.figures
    estimated, energy = (
        _sum(accounts, "net_estimated"),
        sum((_net(row) for row in lines if not _is(row, "DAILY")), ZERO),
    )
    pairs = {
        "net": (found.net, _sum(accounts, "net_amount")), "net of the lines": (found.net, _sum(lines, "net_amount")),
        "gst": (found.gst, _sum(accounts, "gst_amount")), "gst of the lines": (found.gst, _sum(lines, "gst_amount")),
        "kwh": (found.kwh, _sum([row for row in accounts if row["uom"] == "KWH"], "units_total")),
        "mj": (found.mj, _sum([row for row in accounts if row["uom"] == "MJ"], "units_total")),
        "exported": (found.exported, _sum([row for row in lines if row["stream_type"] == "SOLAR"], "quantity")),
        "accounts": (found.accounts, len(accounts)), "days": (found.days, sum(int(row["unbilled_days"]) for row in accounts)),
        "estimated": (found.estimated, estimated),
        "estimated %": (found.estimated_percent, (100 * estimated / energy).quantize(Decimal("0.01"))),
    }  # fmt: skip
    yield from (f"{name}: {one}, not {other}" for name, (one, other) in pairs.items() if one != other)


def _pivots(tables: dict[str, Table], lines: list[Row]) -> Iterator[str]:
    groups: dict[str, Sequence[str]] = {
        "pivot_1": ("jurisdiction", "fuel", "customer_class", "journal_segment"), "pivot_2": ("year_month",),
        "pivot_3": ("item_type", "stream_type", "line_state"),
    }  # fmt: skip
    groups["pivot"] = (*groups["pivot_1"], *groups["pivot_2"], *groups["pivot_3"], "time_class")
    for key, by in groups.items():
        table, width = tables[key], len(by)
        for place, value in ((4, "net_amount"), (5, "gst_amount"), (6, "discount_net_propensity")):
            ours = _by(lines, by, lambda row, value=value: Decimal(row[value]))  # type: ignore[misc]
            theirs = {tuple(row[:width]): row[width + place] for row in table.rows}
            yield from _unlike(f"{key} {value}", theirs, ours)
            if table.total is None or table.total[width + place] != sum(ours.values(), ZERO):
                yield f"{key} {value}: its total"


def _parts(tables: dict[str, Table], accounts: list[Row]) -> Iterator[str]:
    net = sorted((Decimal(row["net_amount"]) for row in accounts), reverse=True)
    if [row[8] for row in tables["top"].rows] != net[:50]:
        yield "the largest accounts"
    ageing = tables["ageing"]
    if (
        sum((row[3] for row in ageing.rows), ZERO) != sum(net, ZERO)
        or ageing.total is None
        or ageing.total[3] != sum(net, ZERO)
    ):
        yield "the ageing"
    # An account with delivered estimates alone has no method of ours, and one with both has its own.
    methods = sum((row[7] for row in tables["methods"].rows), ZERO)
    if methods != _sum(accounts, "net_estimated"):
        yield f"the methods: {methods}"


def _journal(written: Path, lines: list[Row]) -> Iterator[str]:
    by = ("jurisdiction", "fuel", "journal_segment")
    booked: Sums = defaultdict(Decimal)
    for row in read(written, "journal"):
        booked[(*(row[name] for name in by), row["ledger_name"])] += Decimal(row["debit"]) - Decimal(row["credit"])
    ours: Sums = {}
    for name, (side, amount) in JOURNAL.items():
        for key, value in _by(lines, by, amount).items():
            ours[*key, name] = side * value
    yield from _unlike("journal.csv", dict(booked), {key: value for key, value in ours.items() if value})
    if sum(booked.values(), ZERO):
        yield "journal.csv is not balanced"
    memo = {
        tuple(row[name] for name in ("due_state", *by)): Decimal(row["gst_amount"])
        for row in read(written, "journal_gst_memo")
    }
    yield from _unlike("the GST memo", memo, _by(lines, ("due_state", *by), lambda row: Decimal(row["gst_amount"])))


def _columns(report: Report) -> Iterator[str]:
    """The totals under the tables: dollars and counts of days are the sums of what is above them."""
    for section in report.sections:
        for table in section.tables:
            for place, column in enumerate(table.columns):
                total = None if table.total is None else table.total[place]
                if column.kind == "money" and isinstance(total, Decimal):
                    shown = sum((Decimal(row[place] or 0) for row in table.rows), ZERO)
                    if shown != total and not table.key.startswith(("rollforward", "pivot")):
                        yield f"{table.key}, {column.name}: {total}, not {shown}"


def _sum(rows: list[Row], name: str) -> Decimal:
    return sum((Decimal(row[name] or 0) for row in rows), ZERO)


def _by(rows: list[Row], names: Sequence[str], value: Callable[[Row], Decimal]) -> Sums:
    found: Sums = defaultdict(Decimal)
    for row in rows:
        found[tuple(row[name] for name in names)] += value(row)
    return dict(found)


def _unlike(what: str, theirs: Sums, ours: Sums) -> Iterator[str]:
    yield from (
        f"{what}, {' '.join(map(str, key))}: {theirs.get(key)}, not {ours.get(key)}"
        for key in sorted({*theirs, *ours}, key=str) if theirs.get(key) != ours.get(key)
    )  # fmt: skip
