"""A chosen period: which days and which bills count. The run of 1 February 2027 accrues October 2026, as at 7 November."""

from typing import Any

import pytest
from tests.sql.builder import Book

RUN = "2027-02-01"


@pytest.fixture
def october(book: Book) -> Book:
    book.run_date = RUN
    book.rows("call bua.prepare_run(%s, '2026-10-01', '2026-10-31', '2026-11-07')", RUN)
    return book


def windows(book: Book) -> list[Any]:
    return book.ask("bua_list_unbilled_accounts", columns="account_id, unbilled::text, last_billed_to::text, has_hole")


def test_bills_count_that_were_issued_by_as_at(october: Book) -> None:
    for name, issued in (("ON", "2026-11-07"), ("AFTER", "2026-11-08")):
        october.account(name, opened="2026-01-01")
        october.billed(name, "2026-01-01", "2026-09-30")
        october.billed(name, "2026-10-01", "2026-10-20", issued=issued)
    assert windows(october) == [
        ("AFTER", "{[2026-10-01,2026-11-01)}", "2026-09-30", False),
        ("ON", "{[2026-10-21,2026-11-01)}", "2026-10-20", False),
    ]


def test_a_bill_beyond_to_leaves_what_it_does_not_cover(october: Book) -> None:
    october.account("A", opened="2026-01-01")
    october.billed("A", "2026-01-01", "2026-10-09")
    october.billed("A", "2026-10-15", "2026-11-05", issued="2026-11-06")
    assert windows(october) == [("A", "{[2026-10-10,2026-10-15)}", "2026-11-05", True)]


def test_supply_before_and_after_the_period_does_not_count(october: Book) -> None:
    october.account("BEFORE", opened="2026-01-01", closed="2026-09-30")
    october.account("AFTER", opened="2026-11-01")
    october.account("INSIDE", opened="2026-10-05", closed="2026-10-06")
    assert windows(october) == [("INSIDE", "{[2026-10-05,2026-10-07)}", None, False)]
    assert october.ask("bua_list_all_accounts") == [("INSIDE",)]


def test_bills_of_the_twelve_months_before_the_end_of_the_period_make_a_scalar(october: Book) -> None:
    """100 kWh billed over the 100 days to 30 September 2026, before the period, at a profile of 2 kWh a day."""
    register = october.basic(october.account("A", opened="2026-06-23"))
    october.billed("A", "2026-06-23", "2026-09-30", units={"PRIMARY": 100})
    october.macro("2026-06-23", "2026-10-31", 2)
    october.call("bua_create_invoice_scalar", ["A"])
    assert october.scalar("A", "method, scalar::float", register) == ("INVOICES", 0.5)
