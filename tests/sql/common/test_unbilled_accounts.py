"""Which days of an account are unbilled. The period is 1 November 2025 to 31 October 2026."""

from typing import Any, NamedTuple

import pytest
from tests.sql.builder import Book, day


class Unbilled(NamedTuple):
    """One account's answer; windows with both ends included."""

    windows: list[tuple[str, str]]
    last_billed_to: Any
    has_hole: bool
    is_after_estimated_bill: bool
    is_unbilled_before_period: bool


def unbilled(book: Book, account_id: str = "A") -> Unbilled | None:
    found = book.ask(
        "bua_list_unbilled_accounts",
        [account_id],
        columns="(select array_agg(lower(w) || ' ' || upper(w) - 1 order by w) from unnest(unbilled) w), last_billed_to,"
        " has_hole, is_after_estimated_bill, is_unbilled_before_period",
    )
    if not found:
        return None
    windows, *rest = found[0]
    return Unbilled([tuple(window.split()) for window in windows], *rest)


def test_a_never_billed_account_is_unbilled_for_its_supply_days_of_the_period(book: Book) -> None:
    book.account("A", opened="2024-02-29")
    # The days before the period are flagged and do not stop those inside it.
    assert unbilled(book) == ([("2025-11-01", "2026-10-31")], None, False, False, True)


def test_opened_in_the_period_and_never_billed(book: Book) -> None:
    book.account("A", opened="2026-10-31")
    assert unbilled(book) == ([("2026-10-31", "2026-10-31")], None, False, False, False)


def test_unbilled_from_the_day_after_the_last_bill(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-08-31")
    book.billed("A", "2026-09-01", "2026-10-15")
    assert unbilled(book) == ([("2026-10-16", "2026-10-31")], day("2026-10-15"), False, False, False)


def test_billed_to_the_accrual_date(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-10-31")
    assert unbilled(book) is None


def test_billed_but_for_the_last_day(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-10-30")
    assert unbilled(book) == ([("2026-10-31", "2026-10-31")], day("2026-10-30"), False, False, False)


def test_a_reversed_bill_leaves_a_hole(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-01-31")
    book.billed("A", "2026-02-01", "2026-04-30", reversed_=True)
    book.billed("A", "2026-05-01", "2026-09-30")
    assert unbilled(book) == (
        [("2026-02-01", "2026-04-30"), ("2026-10-01", "2026-10-31")], day("2026-09-30"), True, False, False,
    )  # fmt: skip


def test_a_reversed_bill_that_was_rebilled_leaves_none(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-04-30", reversed_=True)
    book.billed("A", "2025-11-01", "2026-04-30", issued="2026-06-01")
    assert unbilled(book) == ([("2026-05-01", "2026-10-31")], day("2026-04-30"), False, False, False)


def test_a_reversed_last_bill_is_no_hole(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-07-31")
    book.billed("A", "2026-08-01", "2026-09-30", reversed_=True)
    assert unbilled(book) == ([("2026-08-01", "2026-10-31")], day("2026-07-31"), False, False, False)


@pytest.mark.parametrize(("issued", "first"), [("2026-10-31", "2026-10-25"), ("2026-11-01", "2026-07-01")])
def test_a_bill_counts_if_it_was_issued_by_the_accrual_date(book: Book, issued: str, first: str) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-06-30")
    book.billed("A", "2026-07-01", "2026-10-24", issued=issued)
    found = unbilled(book)
    assert found is not None
    assert found.windows == [(first, "2026-10-31")]


def test_a_bill_that_was_never_issued_does_not_count(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-06-30")
    book.rows("update core.invoice set issued_date = null")
    assert unbilled(book) == ([("2025-11-01", "2026-10-31")], None, False, False, False)


def test_an_accruals_own_invoice_is_no_bill(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-06-30")
    book.rows("update core.invoice set origin = 'BUA', run_date = '2026-10-01'")
    assert unbilled(book) == ([("2025-11-01", "2026-10-31")], None, False, False, False)


def test_after_an_estimated_bill_only_the_rest_is_unbilled(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-06-30")
    book.billed("A", "2026-07-01", "2026-09-30", estimated=True)
    assert unbilled(book) == ([("2026-10-01", "2026-10-31")], day("2026-09-30"), False, True, False)


def test_an_estimated_bill_before_a_read_one_is_past(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-06-30", estimated=True)
    book.billed("A", "2026-07-01", "2026-09-30")
    assert unbilled(book) == ([("2026-10-01", "2026-10-31")], day("2026-09-30"), False, False, False)


def test_a_closed_account_is_unbilled_to_its_close(book: Book) -> None:
    book.account("A", opened="2025-11-01", closed="2026-08-15")
    book.billed("A", "2025-11-01", "2026-07-31")
    assert unbilled(book) == ([("2026-08-01", "2026-08-15")], day("2026-07-31"), False, False, False)


@pytest.mark.parametrize(
    ("opened", "closed", "is_in_period"),
    [
        ("2020-01-01", "2025-10-31", False),
        ("2020-01-01", "2025-11-01", True),
        ("2026-10-31", None, True),
        ("2026-11-01", None, False),
    ],
)
def test_accounts_of_the_period(book: Book, opened: str, closed: str | None, is_in_period: bool) -> None:
    book.account("A", opened=opened, closed=closed)
    assert book.ask("bua_list_all_accounts") == ([("A",)] if is_in_period else [])
    assert (unbilled(book) is not None) == is_in_period


def test_a_bill_across_the_periods_start(book: Book) -> None:
    book.account("A", opened="2025-09-01")
    book.billed("A", "2025-09-01", "2025-11-30")
    assert unbilled(book) == ([("2025-12-01", "2026-10-31")], day("2025-11-30"), False, False, False)


def test_an_account_billed_only_before_the_period(book: Book) -> None:
    book.account("A", opened="2025-01-01")
    book.billed("A", "2025-01-01", "2025-09-30")
    # October 2025 was never billed either: flagged, not accrued. No unbilled day of the period lies before a billed one.
    assert unbilled(book) == ([("2025-11-01", "2026-10-31")], day("2025-09-30"), False, False, True)


def test_a_first_bill_inside_the_period_leaves_a_hole_before_it(book: Book) -> None:
    book.account("A", opened="2025-12-01")
    book.billed("A", "2026-01-01", "2026-10-31")
    assert unbilled(book) == ([("2025-12-01", "2025-12-31")], day("2026-10-31"), True, False, False)


def test_overlapping_bills_are_one_cover(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-05-31")
    book.billed("A", "2026-03-01", "2026-09-30")
    assert unbilled(book) == ([("2026-10-01", "2026-10-31")], day("2026-09-30"), False, False, False)


def test_every_account_day_is_billed_or_unbilled_exactly_once(book: Book) -> None:
    book.account("A", opened="2026-01-10", closed="2026-09-20")
    book.billed("A", "2026-02-01", "2026-02-28")
    book.billed("A", "2026-05-01", "2026-06-30")
    # 254 days of supply: 10 January to 20 September. Billed: 28 + 61. Unbilled: 22 + 61 + 82.
    found = book.ask("bua_list_unbilled_accounts", ["A"], columns="bua.count_days(unbilled), unbilled::text")
    assert found == [(165, "{[2026-01-10,2026-02-01),[2026-03-01,2026-05-01),[2026-07-01,2026-09-21)}")]
    assert 28 + 61 + 165 == 254


def test_the_accounts_that_are_asked_for(book: Book) -> None:
    for account_id in ("A", "B", "C"):
        book.account(account_id)
    assert book.ask("bua_list_unbilled_accounts", ["C", "A", "X"], columns="account_id") == [("A",), ("C",)]
    assert book.ask("bua_list_unbilled_accounts", columns="account_id") == [("A",), ("B",), ("C",)]
