"""How old what is accrued is, and whether it can still be billed. AS_AT is 31 October 2026."""

from decimal import Decimal
from typing import Any

import pytest
from tests.sql.builder import Book
from tests.sql.test_export import prepare, rated, summary


def unbilled_from(book: Book, first: str, **more: Any) -> None:
    """An account A, supplied and unbilled since a day, whose invoice is 100 dollars net, 30 of them estimated."""
    account = rated(book, opened=first, **more)
    book.rows("delete from core.invoice where account_id = 'A' and origin = 'PLATFORM'")
    account.line(70, "70.00")
    account.line(30, "30.00", state="ESTIMATED")
    prepare(book)


@pytest.mark.parametrize(
    ("state", "fuel", "first", "recoverable", "flagged"),
    [
        ("QLD", "ELECTRICITY", "2026-02-01", "100.00", False),  # nine months: 1 February to 31 October
        ("QLD", "ELECTRICITY", "2026-01-31", "99.64", True),  # 273 of 274 days
        ("VIC", "ELECTRICITY", "2026-07-01", "100.00", False),  # four months
        ("VIC", "GAS", "2026-05-01", "66.85", True),  # 123 of 184 days
    ],
)
def test_what_is_older_than_the_limit_is_not_recoverable(
    book: Book, *, state: str, fuel: str, first: str, recoverable: str, flagged: bool
) -> None:
    unbilled_from(book, first, state=state, fuel=fuel)
    amounts = summary(book, "net_amount, net_estimated, recoverable_amount")
    assert amounts == (100, 30, Decimal(recoverable))
    assert ("NOT_RECOVERABLE" in summary(book, "flags")[0]) == flagged


@pytest.mark.parametrize(("first", "flagged"), [("2026-07-23", False), ("2026-07-22", True)])
def test_longer_than_the_cycle_of_91_days_and_10_of_grace(book: Book, *, first: str, flagged: bool) -> None:
    unbilled_from(book, first)
    assert ("OVER_CYCLE" in summary(book, "flags")[0]) == flagged


@pytest.mark.parametrize(("closed", "flagged"), [("2026-10-31", True), ("2026-11-01", False), (None, False)])
def test_a_closed_account_lacks_its_final_bill(book: Book, *, closed: str | None, flagged: bool) -> None:
    unbilled_from(book, "2026-10-01", closed=closed, next_bill="2026-12-01")
    assert ("FINAL" in summary(book, "flags")[0]) == flagged
    assert summary(book, "plan_code, billing_days, next_bill_date::text, close_date::text") == (
        "FLAT", 91, "2026-12-01", closed,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "issued", "reversed_", "flagged"),
    [
        ("2026-10-01", "2026-10-15", "2026-11-02", False, True),
        ("2026-10-01", "2026-10-15", "2026-11-02", True, False),
        ("2026-11-01", "2026-11-02", "2026-11-02", False, False),  # of later days
    ],
)
def test_a_bill_issued_after_as_at(
    book: Book, *, first: str, last: str, issued: str, reversed_: bool, flagged: bool
) -> None:
    account = rated(book)
    book.billed("A", first, last, issued=issued, reversed_=reversed_)
    account.line(5, 1)
    prepare(book)
    assert summary(book, "flags, unbilled_days") == ("ISSUED_LATE" if flagged else "", 31)
