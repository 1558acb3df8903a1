"""The account-spans of the evidence: what became of every day of the period, how old it is, whether it can still be billed.

The period is 1 November 2025 to 31 October 2026, AS_AT its last day; the cycle is 91 days and the grace 10.
"""

from typing import Any

import pytest
from tests.sql.builder import Book
from tests.sql.test_export import prepare

START, END = "2025-11-01", "2026-10-31"


def spans(book: Book, columns: str = "from_date, to_date, state, ageing", account: str = "A") -> list[tuple[Any, ...]]:
    """An account's spans; dates as text. They cover the period once, and their days are those between their dates."""
    with book.acting_as("lambda"):
        found = book.rows(f"select {columns} from bua.evidence_account_spans(%s, %s) where account_id = %s order by from_date",
                          book.run_date, [account, "B"], account)  # fmt: skip
        gaps = book.rows(
            "select from_date, to_date, days from (select s.*, lag(to_date, 1, r.period_start - 1) over (order by from_date) as before,"
            " lead(from_date, 1, r.period_end) over (order by from_date) as after from bua.evidence_account_spans(%s, %s) s, bua.run r"
            " where r.run_date = %s and account_id = %s) s"
            " where from_date <> before + 1 or to_date <> after - 1 or days <> to_date - from_date + 1",
            book.run_date, [account, "B"], book.run_date, account)  # fmt: skip
    assert found
    assert gaps == []
    return [tuple(str(value) if hasattr(value, "year") else value for value in row) for row in found]


def unbilled(book: Book, first: str, **more: Any) -> None:
    """Account A, billed up to the day before first and not since."""
    book.account("A", **{"opened": START, "next_bill": "2026-12-01"} | more)
    if first > START:
        book.billed("A", START, str(book.value("select %s::date - 1", first)))


def ageing(book: Book) -> str:
    """Of the last day of the period."""
    return str(spans(book, "ageing")[-1][0])


def test_the_days_of_a_period_are_billed_accrued_and_outside_supply(book: Book) -> None:
    book.account("A", opened="2025-12-01", closed="2026-12-31", next_bill="2026-11-15")
    book.billed("A", "2025-12-01", "2026-03-01", issued="2026-03-03")
    book.billed("A", "2026-03-02", "2026-08-31", issued="2026-09-02", estimated=True)
    assert spans(book, "from_date, to_date, days, state, invoice_id, issued_date, is_estimated_bill, ageing") == [
        (START, "2025-11-30", 30, "OUTSIDE_SUPPLY", None, None, None, None),
        ("2025-12-01", "2026-03-01", 91, "BILLED", "I-1", "2026-03-03", False, None),
        ("2026-03-02", "2026-08-31", 183, "BILLED", "I-2", "2026-09-02", True, None),
        ("2026-09-01", END, 61, "ACCRUED", None, None, None, "NOT_DUE"),
    ]
    assert spans(book, "site_id, fuel, jurisdiction, customer_class, journal_segment")[0] == (
        "S-A", "ELECTRICITY", "QLD", "RES", "MASS",
    )  # fmt: skip


def test_an_account_that_is_billed_to_the_end_has_one_span_for_each_bill(book: Book) -> None:
    book.account("A", opened="2020-01-01")
    book.billed("A", "2025-10-01", "2026-01-31")  # straddles the beginning
    book.billed("A", "2026-02-01", "2026-11-30", issued=END)  # and the end
    assert spans(book) == [(START, "2026-01-31", "BILLED", None), ("2026-02-01", END, "BILLED", None)]


def test_of_two_bills_for_a_day_the_later_one_counts_and_a_reversed_one_never(book: Book) -> None:
    book.account("A", opened="2020-01-01")
    book.billed("A", START, END, issued="2026-10-01")
    book.billed("A", "2026-01-01", "2026-01-31", issued="2026-10-02")
    book.billed("A", "2026-03-01", "2026-03-31", issued="2026-10-03", reversed_=True)
    assert spans(book, "from_date, invoice_id") == [(START, "I-1"), ("2026-01-01", "I-2"), ("2026-02-01", "I-1")]


@pytest.mark.parametrize(
    ("next_bill", "found"),
    [
        ("2026-11-01", "NOT_DUE"),
        (None, "NOT_DUE"),
        ("2026-10-31", "DUE_0_10"),
        ("2026-10-21", "DUE_0_10"),  # ten days
        ("2026-10-20", "OVERDUE_11_30"),
        ("2026-10-01", "OVERDUE_11_30"),
        ("2026-09-30", "OVERDUE_31_60"),
        ("2026-09-01", "OVERDUE_31_60"),  # sixty days
        ("2026-08-31", "OVERDUE_61_90"),
        ("2026-08-02", "OVERDUE_61_90"),  # ninety days
        ("2026-08-01", "OVERDUE_OVER_90"),
    ],
)
def test_days_wait_for_their_bill_since_its_date(book: Book, next_bill: str | None, found: str) -> None:
    unbilled(book, "2026-10-01", next_bill=next_bill)
    assert ageing(book) == found


@pytest.mark.parametrize(("first", "found"), [("2026-07-23", "NOT_DUE"), ("2026-07-22", "OVER_CYCLE")])
def test_101_days_are_a_cycle_and_its_grace_and_102_are_too_many(book: Book, first: str, found: str) -> None:
    unbilled(book, first)
    assert ageing(book) == found


def test_what_is_overdue_by_its_date_is_not_over_the_cycle_as_well(book: Book) -> None:
    unbilled(book, "2026-05-01", next_bill="2026-09-01")
    assert ageing(book) == "OVERDUE_31_60"


def test_days_before_a_billed_one_are_a_hole_and_the_others_wait(book: Book) -> None:
    unbilled(book, "2026-09-01")
    book.billed("A", "2026-09-11", "2026-09-30")
    assert spans(book)[1:] == [
        ("2026-09-01", "2026-09-10", "ACCRUED", "HOLE"),
        ("2026-09-11", "2026-09-30", "BILLED", None),
        ("2026-10-01", END, "ACCRUED", "NOT_DUE"),
    ]


def test_a_bill_that_came_too_late_explains_its_days(book: Book) -> None:
    unbilled(book, "2026-09-01", next_bill="2026-08-01")
    book.billed("A", "2026-09-01", "2026-09-30", issued="2026-11-02")
    book.billed("A", "2026-10-01", "2026-10-05", issued="2026-11-02", reversed_=True)
    assert spans(book)[1:] == [
        ("2026-09-01", "2026-09-30", "ACCRUED", "ISSUED_LATE"),
        ("2026-10-01", END, "ACCRUED", "OVERDUE_OVER_90"),
    ]


@pytest.mark.parametrize(("closed", "found"), [("2026-10-31", "FINAL"), ("2026-11-01", "NOT_DUE")])
def test_a_closed_account_waits_for_its_final_bill(book: Book, closed: str, found: str) -> None:
    unbilled(book, "2026-10-01", closed=closed)
    assert ageing(book) == found


def test_days_after_the_account_closed_are_outside_supply(book: Book) -> None:
    unbilled(book, "2026-10-01", closed="2026-10-15")
    assert spans(book)[1:] == [
        ("2026-10-01", "2026-10-15", "ACCRUED", "FINAL"),
        ("2026-10-16", END, "OUTSIDE_SUPPLY", None),
    ]


def test_an_account_whose_units_are_not_known_is_an_exception_and_ages_too(book: Book) -> None:
    unbilled(book, "2026-10-01", next_bill="2026-09-01")
    prepare(book)  # no register, no invoice
    assert spans(book)[1:] == [("2026-10-01", END, "EXCEPTION", "OVERDUE_31_60")]


@pytest.mark.parametrize(
    ("state", "fuel", "expired_to", "expires_to"),
    [
        # Nine months back from 31 October and from 30 December; in Victoria four.
        ("QLD", "ELECTRICITY", "2026-01-31", "2026-03-30"),
        ("VIC", "GAS", "2026-06-30", "2026-08-30"),
    ],
)
def test_what_can_no_longer_be_billed(book: Book, state: str, fuel: str, expired_to: str, expires_to: str) -> None:
    unbilled(book, START, state=state, fuel=fuel)
    found = spans(book, "recoverable, from_date, to_date")
    assert [row[::2] for row in found] == [("EXPIRED", expired_to), ("EXPIRES_60", expires_to), ("WITHIN", END)]


def test_a_limit_that_changes_within_the_sixty_days_counts_from_its_date(book: Book) -> None:
    """From 1 December on three months: 60 days after AS_AT, on 30 December, days before 1 October expire."""
    unbilled(book, "2026-09-01")
    book.rows("insert into bua.back_billing_limit values ('QLD', 'ELECTRICITY', '2026-12-01', 3)")
    assert spans(book, "from_date, recoverable")[1:] == [("2026-09-01", "EXPIRES_60"), ("2026-10-01", "WITHIN")]


def test_spans_of_a_leap_year(book: Book) -> None:
    leap = Book(book.connection, "2028-03-01")
    leap.rows("call bua.prepare_run('2028-03-01')")
    leap.account("A", opened="2020-01-01", next_bill="2028-04-01")
    leap.billed("A", "2027-03-01", "2028-02-27")
    assert spans(leap, "from_date, to_date, days, state") == [
        ("2027-03-01", "2028-02-27", 364, "BILLED"), ("2028-02-28", "2028-02-29", 2, "ACCRUED"),
    ]  # fmt: skip


def test_spans_of_a_chosen_period(book: Book) -> None:
    """One month as at a week later: a bill of 5 November counts, one of 8 November came too late."""
    odd = Book(book.connection, "2026-12-01")
    odd.rows("call bua.prepare_run('2026-12-01', '2026-10-01', '2026-10-31', '2026-11-07')")
    odd.account("A", opened="2020-01-01", next_bill="2026-10-28")
    odd.billed("A", "2026-07-01", "2026-10-10", issued="2026-11-05")
    odd.billed("A", "2026-10-11", "2026-10-20", issued="2026-11-08")
    assert spans(odd) == [
        ("2026-10-01", "2026-10-10", "BILLED", None),
        ("2026-10-11", "2026-10-20", "ACCRUED", "ISSUED_LATE"),
        ("2026-10-21", "2026-10-31", "ACCRUED", "DUE_0_10"),
    ]


def test_a_span_that_is_missing_in_the_files_breaks_the_totals(book: Book) -> None:
    book.account("A", opened="2020-01-01")
    for item, _ in book.ask("list_export_evidence"):
        name = item.split("/")[0]
        sums = '{"days": "364"}' if name == "account_spans" else "{}"
        book.rows("insert into bua.evidence_file values (%s, %s, 1, 1, 1, '', %s)", book.run_date, name, sums)
    assert book.ask("broken_evidence") == [("the spans are the days of the period", 1, "364 days, not 365")]
