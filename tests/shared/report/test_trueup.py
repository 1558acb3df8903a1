"""The true-up of the hand-made months, with bills.

Account 1 accrued 10 days, 100 kWh estimated at 0.20. Its bill B1 has 30 days, 330 kWh at 0.22. The profile has 200 units over the 20 other
days and 200 over the accrued ones, so half of the bill is theirs: 165 kWh, $36.30. Volume (165 - 100) x 0.20 = 13.00, rate 165 x 0.02 = 3.30.

Account 3 accrued two days that had been read, $6.00; its bill B3, an estimate, says $6.50 for the same 10 kWh: rate 0.50, provisional.

Account 6 accrued a day: PEAK 6 kWh, $3.00 after 0.30 of an expected and 0.60 of a whole discount, OFFPEAK 4 kWh, $0.80. B6 bills PEAK 5 kWh at
0.45, the list price of 0.55 less all of the discount, and OFFPEAK 6 kWh at 0.22. Volume 1 x 0.38; mix -1.6 x 0.50 + 1.6 x 0.20 = -0.48;
discount 5 x 0.55 x (1/11 - 2/11) = -0.25; rate 6 x 0.02 = 0.12. Together -0.23 = 3.57 - 3.80.
"""

import dataclasses
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.shared.report.by_hand import Account, Line, Run, Span, write
from tests.shared.report.two_months import FIRST, OCTOBER, SECOND, SEPTEMBER

from shared.report import exports, finance, history, rollforward, trueup
from shared.report.book import Book, open_book
from shared.report.ties import broken

ISSUED = date(2026, 10, 5)
LAST = SEPTEMBER[1]


def _bill(
    invoice: str, account: str, first: date, *, estimated: bool, time_class: str, quantity: str, net: str
) -> tuple[object, ...]:
    days = (LAST - first).days + 1
    return (invoice, account, first, LAST, ISSUED, estimated, "USAGE", "PRIMARY", time_class, quantity, net, days)


def _second() -> Run:
    billed = {
        "1": (Span("1", date(2026, 9, 5), LAST, invoice_id="B1", issued_date=ISSUED, is_estimated_bill=False),),
        "3": (
            Span("3", date(2026, 9, 5), date(2026, 9, 25)),
            Span(
                "3", date(2026, 9, 26), date(2026, 9, 27), invoice_id="B3", issued_date=ISSUED, is_estimated_bill=True
            ),
        ),
        "6": (Span("6", date(2026, 9, 5), OCTOBER[1], invoice_id="B6", issued_date=ISSUED, is_estimated_bill=False),),
    }
    kept = [one for one in SECOND.spans if not (one.account_id in billed and one.state == "BILLED")]
    spans = sorted(
        [*kept, *(span for found in billed.values() for span in found)], key=lambda one: (one.account_id, one.first)
    )
    b3 = (*_bill("B3", "3", date(2026, 9, 26), estimated=True, time_class="ANYTIME", quantity="10", net="6.50")[:3], date(2026, 9, 27),
          ISSUED, True, "USAGE", "PRIMARY", "ANYTIME", "10", "6.50", 2)  # fmt: skip
    return dataclasses.replace(
        SECOND,
        accounts=(*SECOND.accounts, Account("6")),
        spans=spans,
        evidence={
            "billed_lines": [
                _bill("B1", "1", date(2026, 9, 1), estimated=False, time_class="ANYTIME", quantity="330", net="72.60"),
                b3,
                _bill("B6", "6", LAST, estimated=False, time_class="PEAK", quantity="5", net="2.25"),
                _bill("B6", "6", LAST, estimated=False, time_class="OFFPEAK", quantity="6", net="1.32"),
            ],
            "profiles": [("NSW|RES|PRIMARY", date(2026, 9, n), 10 if n <= 20 else 20, None) for n in range(1, 31)],
        },
    )


def _first() -> Run:
    scalar = ("1", "site-1", "m", "11", "PRIMARY", "BASIC", 1, "READS", 1, 0, None, None, None, None, None, None, None, None, None,
              False, False, False, None, None, "NSW|RES|PRIMARY", 0)  # fmt: skip
    return dataclasses.replace(
        FIRST,
        accounts=(*FIRST.accounts, Account("6")),
        spans=(
            *FIRST.spans,
            Span("6", SEPTEMBER[0], date(2026, 9, 29)),
            Span("6", LAST, LAST, "ACCRUED", "NOT_DUE", "WITHIN"),
        ),
        lines=(
            *FIRST.lines,
            Line("6", 1, LAST, LAST, "3.00", "6", time_class="PEAK", state="ESTIMATED", discount="0.30", whole="0.60"),
            Line("6", 2, LAST, LAST, "0.80", "4", time_class="OFFPEAK", state="ESTIMATED"),
        ),
        evidence={"scalars": [scalar]},
    )


@pytest.fixture
def billed(tmp_path: Path) -> Iterator[Book]:
    """The second run's book, with bills for what the first accrued."""
    first, second = write(_first(), tmp_path / "first"), write(_second(), tmp_path / "second")
    found = open_book(exports.read(second), exports.read(first), finance.read(), tmp_path)
    with found.database:
        rollforward.compute(found)
        yield found


def test_every_difference_is_what_it_is_on_paper(billed: Book) -> None:
    trueup.prepare(billed)
    found = billed.rows(
        "select account_id, how, net_acc, volume, rate, mix, discount, net_bill from trueup_line order by 1"
    )
    assert [(who, how, *map(str, values)) for who, how, *values in found] == [
        ("1", "PROFILE", "20.00", "13.00", "3.30", "0.00", "0.00", "36.30"),
        ("3", "WHOLE", "6.00", "0.00", "0.50", "0.00", "0.00", "6.50"),
        ("6", "WHOLE", "3.80", "0.38", "0.12", "-0.48", "-0.25", "3.57"),
    ]


def test_the_days_are_settled_carried_or_gone(billed: Book) -> None:
    table = next(one for one in trueup.compute(billed).section.tables if one.key == "trueup_days")
    assert [(days, str(net)) for _, days, net, _ in [*table.rows, table.total or ()]] == [
        (13, "29.80"), (0, "0"), (27, "31.00"), (3, "9.00"), (4, "4.00"), (47, "73.80"),
    ]  # fmt: skip


def test_bills_on_estimates_are_provisional(billed: Book) -> None:
    table = next(one for one in trueup.compute(billed).section.tables if one.key == "trueup_segment")
    ((*_, provisional, _percent),) = table.rows
    assert provisional == Decimal("6.50")


def test_the_estimates_of_final_bills_are_the_bias(billed: Book) -> None:
    trueup.prepare(billed)
    (found,) = trueup.history(billed)
    assert (found.accrual_run, found.fuel, found.segment) == (FIRST.run_date, "ELECTRICITY", "NSW|RES|PRIMARY")
    assert (found.volume, found.net_estimated) == (Decimal("13.38"), Decimal("23.80"))
    assert history.errors([found], "", "") == [(FIRST.run_date, Decimal("56.2"))]
    assert trueup.bias(billed, Decimal("119.00")) == Decimal("66.90")


def test_it_ties(billed: Book) -> None:
    assert broken(trueup.compute(billed).ties) == []


def test_a_bill_without_lines_is_not_compared(book: Book) -> None:
    rollforward.compute(book)
    part = trueup.compute(book)
    days = next(one for one in part.section.tables if one.key == "trueup_days")
    assert [(row[1], str(row[2])) for row in days.rows[:2]] == [(0, "0"), (12, "26.00")]
    assert broken(part.ties) == []


def test_the_first_run_has_nothing_to_compare(first_book: Book) -> None:
    part = trueup.compute(first_book)
    assert "no accrual to compare" in part.section.lead[0]
    assert trueup.bias(first_book, Decimal(1)) is None
