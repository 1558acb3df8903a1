"""Every total of the report, added again from the CSV files with the csv module and decimals: another way than DuckDB."""

import csv
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from shared.report import accounts, ageing, estimation, pivot, rollforward, signoff, trueup
from shared.report.book import Book
from shared.report.table import Table

Row = dict[str, str]
NOTHING = Decimal(0)


@pytest.fixture
def rows(months: tuple[Path, Path]) -> Callable[[str], list[Row]]:
    """The rows of a CSV file of the second run."""

    def read(name: str) -> list[Row]:
        with (months[1] / f"{name}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return read


def _sums(rows: list[Row], value: str, *by: str) -> dict[tuple[str, ...], Decimal]:
    found: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in rows:
        found[tuple(row[name] for name in by)] += Decimal(row[value])
    return dict(found)


def _table(tables: tuple[Table, ...] | list[Table], key: str) -> Table:
    return next(table for table in tables if table.key == key)


def test_the_figures_of_the_first_page(book: Book, rows: Callable[[str], list[Row]]) -> None:
    rollforward.compute(book)
    trueup.prepare(book)
    figures, own = signoff.headline(book), rows("BUAAccountSummary")
    assert figures.net == sum(Decimal(row["net_amount"]) for row in own) == Decimal("334.80")
    assert figures.gst == sum(Decimal(row["gst_amount"]) for row in own)
    assert figures.kwh == sum(Decimal(row["units_total"]) for row in own if row["uom"] == "KWH")
    assert figures.mj == sum(Decimal(row["units_total"]) for row in own if row["uom"] == "MJ")
    assert figures.accounts == len(own)
    assert figures.days == sum(int(row["unbilled_days"]) for row in own)
    estimated = sum(Decimal(row["net_estimated"]) for row in own)
    energy = sum(Decimal(row["net_amount"]) for row in rows("InvoiceLineItemMonthly") if row["item_type"] != "DAILY")
    assert (figures.estimated, figures.estimated_percent) == (
        estimated,
        (100 * estimated / energy).quantize(Decimal("0.01")),
    )


@pytest.mark.parametrize(
    ("key", "by"), [("pivot_2", ("year_month",)), ("pivot_3", ("item_type", "stream_type", "line_state"))]
)
def test_the_pivot(key: str, by: tuple[str, ...], book: Book, rows: Callable[[str], list[Row]]) -> None:
    table = _table(list(pivot.compute(book).section.tables), key)
    lines = rows("InvoiceLineItemMonthly")
    for value, place in (("net_amount", 4), ("gst_amount", 5), ("discount_net_propensity", 6)):
        assert {row[: len(by)]: row[len(by) + place] for row in table.rows} == _sums(lines, value, *by)
    assert table.total is not None
    assert table.total[len(by) + 4] == sum(Decimal(row["net_amount"]) for row in lines)


def test_the_ageing_of_accounts_of_one_age(book: Book, rows: Callable[[str], list[Row]]) -> None:
    net = _sums(rows("BUAAccountSummary"), "net_amount", "account_id")
    found = {row[0]: row[3] for row in ageing.by_age(book)}
    assert found == {
        "NOT_DUE": net["1",] + net["5",], "OVERDUE_31_60": net["2",], "HOLE": net["4",],
    }  # fmt: skip


def test_the_estimates_by_method(book: Book, rows: Callable[[str], list[Row]]) -> None:
    table = _table(list(estimation.compute(book).section.tables), "methods")
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in table.rows:
        found[row[0]] += row[7]
    own = _sums(rows("BUAAccountSummary"), "net_estimated", "method")
    assert found == {method: net for (method,), net in own.items() if net}


def test_the_cumulative_shares_of_the_largest(book: Book, rows: Callable[[str], list[Row]]) -> None:
    rollforward.compute(book)  # the movers of the same section rest on it
    table = _table(list(accounts.compute(book).section.tables), "top")
    net = sorted((Decimal(row["net_amount"]) for row in rows("BUAAccountSummary")), reverse=True)
    assert [row[8] for row in table.rows] == net
    assert [row[11] for row in table.rows] == [
        (100 * sum(net[: n + 1], NOTHING) / sum(net)).quantize(Decimal("0.01")) for n in range(len(net))
    ]  # fmt: skip
