"""The journal of the second hand-made month.

Income: 31 x 2.10 + 26 x 1.10 + 31 x 1.20 + 10 x 1.50 + 32 x 6.00 = 337.90. Discounts 31 x 0.20 = 6.20.
Gross usage: 31 x (1.60 + 0.20) + 65.80 + 192.00 = 313.60; supply 31 x 0.50 = 15.50; controlled load 15.00. Feed-in 31 x 0.10 = 3.10.
GST, a tenth of each day's amount in cents: account 1 31 x (0.05 + 0.16) = 6.51, account 2 26 x 0.11 + 31 x 0.12 = 6.58,
account 4 10 x 0.15 = 1.50, account 5 32 x 0.60 = 19.20.
"""

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from shared.errors import InvalidInput
from shared.report import journal
from shared.report.book import Book
from shared.report.ties import broken


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_journal_is_what_it_is_on_paper(book: Book, tmp_path: Path) -> None:
    journal.write(book, tmp_path)
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    rows = _read(tmp_path / "journal.csv")
    for row in rows:
        sums[row["ledger_name"]][0] += Decimal(row["debit"])
        sums[row["ledger_name"]][1] += Decimal(row["credit"])
    assert {name: tuple(map(str, both)) for name, both in sums.items()} == {
        "Accrued income": ("337.90", "0.00"), "Discounts": ("6.20", "0.00"), "Usage revenue": ("0.00", "313.60"),
        "Supply revenue": ("0.00", "15.50"), "Controlled load revenue": ("0.00", "15.00"),
        "Feed-in cost": ("3.10", "0.00"), "Feed-in accrual": ("0.00", "3.10"),
    }  # fmt: skip
    assert {(row["posting_date"], row["reversal_date"]) for row in rows} == {("2026-10-31", "2026-11-01")}


def test_gst_is_a_memo_by_due_state(book: Book, tmp_path: Path) -> None:
    journal.write(book, tmp_path)
    found = {
        (row["due_state"], row["fuel"], row["journal_segment"]): row["gst_amount"]
        for row in _read(tmp_path / "journal_gst_memo.csv")
    }
    assert found == {
        ("NOT_DUE", "ELECTRICITY", "MASS_MARKET"): "8.01",
        ("NOT_DUE", "ELECTRICITY", "SMALL_BUSINESS"): "19.20",
        ("OVERDUE", "GAS", "MASS_MARKET"): "6.58",
    }


def test_it_is_balanced_and_as_much_as_was_accrued(book: Book) -> None:
    ties = {tie.name: tie for tie in journal.compute(book).ties}
    assert ties["The journal"].left_figure == Decimal("347.20")
    assert ties["Net by journal"].left_figure == Decimal("334.80")
    assert broken(ties.values()) == []


def test_a_negative_amount_is_on_the_other_side(book: Book) -> None:
    book.database.execute("update now.lines set net_amount = -net_amount where item_type = 'CONTROL'")
    (controlled,) = [line for line in journal.entries(book) if line.account.name == "Controlled load revenue"]
    assert (controlled.debit, controlled.credit) == (Decimal("15.00"), Decimal("0.00"))


def test_a_segment_without_a_cost_centre_is_named(book: Book) -> None:
    finance = book.finance.model_copy(update={"cost_centres": {"MASS_MARKET": "100"}})
    with pytest.raises(InvalidInput, match="SMALL_BUSINESS, add it"):
        journal.entries(Book(book.database, book.now, book.before, finance))


@pytest.mark.parametrize(
    ("posting", "reversal"),
    [
        (date(2026, 10, 31), date(2026, 11, 1)),
        (date(2026, 12, 31), date(2027, 1, 1)),
        (date(2028, 2, 10), date(2028, 3, 1)),
    ],
)
def test_the_reversal_is_on_the_first_of_the_next_month(posting: date, reversal: date) -> None:
    assert journal.reversal_date(posting) == reversal
