"""Basic reads that a run creates. The macro profile is 4.8 kWh a day unless said otherwise; sites are in Queensland."""

from decimal import Decimal
from typing import Any

import pytest
from tests.sql.builder import Book


@pytest.fixture
def home(book: Book) -> Book:
    """A segment whose macro profile covers all days, and a plan of one price."""
    book.plan()
    book.segment()
    book.macro("2024-11-01", "2026-10-31")
    return book


def billed_to(book: Book, last: str, account_id: str = "A", *, opened: str = "2025-11-01", **more: Any) -> str:
    """An account's site; the bill is an estimate, so that no scalar comes from it."""
    site = book.account(account_id, opened=opened, **more)
    book.billed(account_id, opened, last, estimated=True)
    return site


def accrue(book: Book, *accounts: str) -> None:
    named = list(accounts or ("A",))
    book.call("bua_create_invoice_scalar", named)
    book.call("bua_create_basic_read", named)


def periods(book: Book, register: int) -> list[tuple[Any, ...]]:
    return book.rows(
        "select from_date::text, to_date::text, read_state, quantity from core.aggregated_read"
        " where origin = 'BUA' and run_date = %s and meter_register_id = %s and time_class = 'ANYTIME' order by 1",
        *(book.run_date, register),
    )


def index_reads(book: Book, register: int) -> list[tuple[Any, ...]]:
    return book.rows(
        "select read_date::text, index_value, quality from core.meter_read"
        " where origin = 'BUA' and run_date = %s and meter_register_id = %s order by 1",
        *(book.run_date, register),
    )


def test_days_without_a_read_are_scalar_times_macro_split_at_month_ends(home: Book) -> None:
    home.macro("2026-09-01", "2026-09-30", 10)
    home.macro("2026-10-01", "2026-10-31", 3)
    register = home.basic(billed_to(home, "2026-08-19"))
    home.read(register, ("2026-06-21", 0), ("2026-08-20", 576))  # 60 days of 9.6: scalar 2
    accrue(home)
    assert periods(home, register) == [
        ("2026-08-20", "2026-08-31", "ESTIMATED", Decimal("115.2")),  # 12 x 2 x 4.8
        ("2026-09-01", "2026-09-30", "ESTIMATED", 600),
        ("2026-10-01", "2026-10-31", "ESTIMATED", 186),
    ]
    assert index_reads(home, register) == [
        ("2026-09-01", Decimal("691.2"), "E"), ("2026-10-01", Decimal("1291.2"), "E"), ("2026-11-01", Decimal("1477.2"), "E"),
    ]  # fmt: skip


def test_a_read_that_spans_billed_days_is_shared_out_by_macro(home: Book) -> None:
    home.macro("2026-09-01", "2026-09-30", 10)
    home.macro("2026-10-01", "2026-10-31", 30)
    register = home.basic(billed_to(home, "2026-09-30"))
    home.read(register, ("2026-09-21", 0), ("2026-10-11", 200))
    accrue(home)
    # Ten days of 10 and ten of 30: the unbilled ones have 300 / 400 of 200. Then 21 days of 30 at scalar 200 / 400.
    assert periods(home, register) == [
        ("2026-10-01", "2026-10-10", "ACTUAL", 150), ("2026-10-11", "2026-10-31", "ESTIMATED", 315),
    ]  # fmt: skip
    assert index_reads(home, register) == [("2026-11-01", 515, "E")]


def test_where_the_profile_has_a_gap_a_span_is_shared_evenly(home: Book) -> None:
    home.macro("2026-10-01", "2026-10-31", 30)
    home.forget_macro("2026-09-25", "2026-09-25")
    register = home.basic(billed_to(home, "2026-09-30"))
    home.read(register, ("2026-09-21", 0), ("2026-10-11", 200), ("2026-11-01", 242))
    accrue(home)
    assert periods(home, register) == [("2026-10-01", "2026-10-31", "ACTUAL", 142)]  # 10 x 200 / 20 + 42
    assert index_reads(home, register) == []


def test_a_read_account_to_the_accrual_date_is_all_actual(home: Book) -> None:
    register = home.basic(billed_to(home, "2026-08-31"))
    home.read(register, ("2026-09-01", 100), ("2026-10-01", 400), ("2026-11-01", 431))
    accrue(home)
    assert periods(home, register) == [
        ("2026-09-01", "2026-09-30", "ACTUAL", 300), ("2026-10-01", "2026-10-31", "ACTUAL", 31),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "prices",
    [
        [("USAGE", "ANYTIME", "0.30", "2020-01-01"), ("USAGE", "ANYTIME", "0.40", "2026-10-16")],
        # A price that ends without another after it.
        [("USAGE", "ANYTIME", "0.30", "2020-01-01", "2026-10-15")],
    ],
)
def test_periods_end_where_a_price_does(home: Book, prices: list[tuple[str, ...]]) -> None:
    home.plan("CHANGING", *prices)
    register = home.basic(billed_to(home, "2026-09-30", plan="CHANGING"))
    accrue(home)
    assert periods(home, register) == [
        ("2026-10-01", "2026-10-15", "ESTIMATED", 72), ("2026-10-16", "2026-10-31", "ESTIMATED", Decimal("76.8")),
    ]  # fmt: skip
    assert index_reads(home, register) == [("2026-11-01", Decimal("148.8"), "E")]  # a price change is no read


def test_plans_share_no_day_and_leave_none_out(book: Book) -> None:
    """A later row of the history ends an earlier one; days without a row have the account's own plan."""
    book.account("A", plan="OWN")
    for plan in ("SPRING", "SUMMER", "TRIAL", "NEVER"):
        book.plan(plan)
    book.rows(
        "insert into core.account_plan values ('A', 'SPRING', '2026-01-01', '2026-12-31'), ('A', 'SUMMER', '2026-03-01', null),"
        " ('A', 'TRIAL', '2026-06-01', '2026-06-10'), ('A', 'NEVER', '2026-08-01', '2026-07-31')"
    )
    assert book.rows(
        "select plan_code, days::text from bua.plan_spans('A', 'OWN') order by lower(days) nulls first"
    ) == [
        ("OWN", "(,2026-01-01)"),
        ("SPRING", "[2026-01-01,2026-03-01)"),
        ("SUMMER", "[2026-03-01,2026-06-01)"),
        ("TRIAL", "[2026-06-01,2026-06-11)"),
        ("OWN", "[2026-06-11,)"),
    ]
    assert book.rows("select plan_code, days::text from bua.plan_spans('B', 'OWN')") == [("OWN", "(,)")]


def test_periods_end_where_a_plan_does(home: Book) -> None:
    home.plan("NEXT")
    site = billed_to(home, "2026-09-30")
    home.rows("insert into core.account_plan values ('A', 'NEXT', '2026-10-11', '2026-10-20')")
    register = home.basic(site)
    accrue(home)
    # 4.8 kWh a day, as the segment uses: 10, 10 and 11 days.
    assert periods(home, register) == [
        ("2026-10-01", "2026-10-10", "ESTIMATED", 48),
        ("2026-10-11", "2026-10-20", "ESTIMATED", 48),
        ("2026-10-21", "2026-10-31", "ESTIMATED", Decimal("52.8")),
    ]


def test_a_price_change_on_the_first_of_a_month_is_one_cut(home: Book) -> None:
    home.plan("CHANGING", ("USAGE", "ANYTIME", "0.30", "2020-01-01"), ("USAGE", "ANYTIME", "0.40", "2026-10-01"))
    register = home.basic(billed_to(home, "2026-09-29", plan="CHANGING"))
    accrue(home)
    assert [row[:2] for row in periods(home, register)] == [("2026-09-30", "2026-09-30"), ("2026-10-01", "2026-10-31")]
    assert [row[0] for row in index_reads(home, register)] == ["2026-10-01", "2026-11-01"]


def test_delivered_estimates_after_the_last_actual_read_are_estimated_units(home: Book) -> None:
    register = home.basic(billed_to(home, "2026-09-30"))
    # 60 days of 9.6; then 77 days of 10 by a delivered estimate, of which 15 are unbilled; then 16 days of 2 x 4.8.
    home.read(register, ("2026-06-01", 0), ("2026-07-31", 576), ("2026-10-16", 1346, "E"))
    accrue(home)
    found = periods(home, register)
    assert {state for _, _, state, _ in found} == {"ESTIMATED"}
    assert sum(quantity for *_, quantity in found) == 150 + Decimal("153.6")
    # The index goes on from the delivered one.
    assert index_reads(home, register) == [("2026-11-01", Decimal("1499.6"), "E")]


def test_an_estimate_between_actual_reads_is_passed_over(home: Book) -> None:
    register = home.basic(billed_to(home, "2026-09-30"))
    home.read(register, ("2026-10-01", 0), ("2026-10-11", 900, "E"), ("2026-11-01", 310))
    accrue(home)
    assert periods(home, register) == [("2026-10-01", "2026-10-31", "ACTUAL", 310)]


def test_a_rolled_over_index(home: Book) -> None:
    register = home.basic(billed_to(home, "2026-09-30"), digits=5)
    home.read(register, ("2026-08-02", 99_612), ("2026-10-01", 99_900))  # scalar 1
    accrue(home)
    # 99,900 + 148.8 - 100,000
    assert index_reads(home, register) == [("2026-11-01", Decimal("48.8"), "E")]


def test_an_index_in_units_of_its_factor(home: Book) -> None:
    register = home.basic(billed_to(home, "2026-09-30"))
    home.read(register, ("2026-08-02", 0, "A", 40), ("2026-10-01", "7.2", "A", 40))  # 288 kWh: scalar 1
    accrue(home)
    assert periods(home, register) == [("2026-10-01", "2026-10-31", "ESTIMATED", Decimal("148.8"))]
    assert index_reads(home, register) == [("2026-11-01", Decimal("10.92"), "E")]  # 7.2 + 148.8 / 40


def test_without_any_read_the_index_begins_at_zero(home: Book) -> None:
    register = home.basic(billed_to(home, "2026-09-30"))
    accrue(home)
    assert index_reads(home, register) == [("2026-11-01", Decimal("148.8"), "E")]


def test_a_closed_account_ends_with_its_last_day(home: Book) -> None:
    register = home.basic(billed_to(home, "2026-09-30", closed="2026-10-10"))
    accrue(home)
    assert periods(home, register) == [("2026-10-01", "2026-10-10", "ESTIMATED", 48)]
    assert index_reads(home, register) == [("2026-10-11", 48, "E")]


def test_a_hole_and_the_rest_are_periods_of_their_own(home: Book) -> None:
    site = home.account("A", opened="2025-11-01")
    home.billed("A", "2025-11-01", "2026-10-10", estimated=True)
    home.billed("A", "2026-10-21", "2026-10-25", estimated=True)
    register = home.basic(site)
    accrue(home)
    assert periods(home, register) == [
        ("2026-10-11", "2026-10-20", "ESTIMATED", 48), ("2026-10-26", "2026-10-31", "ESTIMATED", Decimal("28.8")),
    ]  # fmt: skip


def test_meters_of_a_swap_have_each_their_days(home: Book) -> None:
    site = billed_to(home, "2026-09-30")
    old = home.basic(site, end="2026-10-15", serial="OLD")
    new = home.basic(site, start="2026-10-16", serial="NEW")
    home.read(old, ("2026-08-02", 0), ("2026-10-01", 576), ("2026-10-16", 726))
    home.read(new, ("2026-10-16", 0), ("2026-10-26", 120))
    accrue(home)
    assert periods(home, old) == [("2026-10-01", "2026-10-15", "ACTUAL", 150)]
    # The new meter's own ten days are too few; all actual spans of 85 days: (726 + 120) / (85 x 4.8).
    ((first, last, state, actual), (_, _, _, estimated)) = periods(home, new)
    assert (first, last, state, actual) == ("2026-10-16", "2026-10-25", "ACTUAL", 120)
    assert estimated == pytest.approx(Decimal(846) / 85 * 6, abs=Decimal("0.00001"))


def test_a_day_without_a_macro_value_takes_the_profiles_mean_of_the_reference(home: Book) -> None:
    home.forget_macro("2026-10-07", "2026-10-07")
    register = home.basic(billed_to(home, "2026-09-30"))
    home.read(register, ("2026-08-02", 0), ("2026-10-01", 576))
    accrue(home)
    assert periods(home, register) == [("2026-10-01", "2026-10-31", "ESTIMATED", Decimal("297.6"))]  # 31 x 9.6


def test_a_giant_and_an_account_without_profile_have_their_mean_day(home: Book) -> None:
    giant = home.basic(billed_to(home, "2026-09-30", "GIANT"))
    home.read(giant, ("2026-08-02", 0), ("2026-10-01", 12_000))  # 200 a day
    alone = home.basic(billed_to(home, "2026-09-30", "ALONE", customer_class="BUS"))
    home.read(alone, ("2026-08-02", 0), ("2026-10-01", 600))
    home.macro("2026-10-01", "2026-10-31", 50, key="QLD|BUS|PRIMARY")  # it covers these days, but none of its reads
    accrue(home, "GIANT", "ALONE")
    assert periods(home, giant) == [("2026-10-01", "2026-10-31", "ESTIMATED", 6200)]
    assert periods(home, alone) == [("2026-10-01", "2026-10-31", "ESTIMATED", 310)]


def test_a_vacant_site_uses_nothing(home: Book) -> None:
    register = home.basic(billed_to(home, "2026-09-30"))
    home.read(register, ("2026-08-02", 500), ("2026-10-01", 500))
    accrue(home)
    assert periods(home, register) == [("2026-10-01", "2026-10-31", "ESTIMATED", 0)]
    assert index_reads(home, register) == [("2026-11-01", 500, "E")]


def test_nothing_to_work_from_makes_no_row(book: Book) -> None:
    book.plan()
    register = book.basic(billed_to(book, "2026-09-30"))
    accrue(book)
    assert periods(book, register) == index_reads(book, register) == []


def test_gas(book: Book) -> None:
    book.plan("GAS")
    book.macro("2026-01-01", "2026-10-31", 100_000, key="VIC|ZONE")
    register = book.basic(billed_to(book, "2026-09-30", fuel="GAS", state="VIC", plan="GAS"), uom="MJ")
    book.read(register, ("2026-08-02", 0, "A", 40), ("2026-10-01", 150, "A", 40))  # 100 MJ a day
    accrue(book)
    assert periods(book, register) == [("2026-10-01", "2026-10-31", "ESTIMATED", 3100)]
    assert index_reads(book, register) == [("2026-11-01", Decimal("227.5"), "E")]  # 150 + 3100 / 40


def everything(book: Book) -> list[Any]:
    return [
        book.rows("select meter_register_id, from_date, to_date, read_state, quantity, origin, run_date"
                  " from core.aggregated_read order by 1, 2, 4, 6, 7"),
        book.rows("select meter_register_id, read_date, index_value, quality, origin, run_date from core.meter_read"
                  " order by 1, 2, 5, 6"),
    ]  # fmt: skip


def test_again_the_same_rows_and_nobody_elses_are_touched(home: Book) -> None:
    for name in ("A", "B"):
        register = home.basic(billed_to(home, "2026-09-15", name))
        home.read(register, ("2026-07-01", 0), ("2026-09-10", 576))
        home.platform_units(register, "2026-09-10", "2026-09-10", 1)
    accrue(home, "A", "B")
    home.rows("insert into core.aggregated_read select meter_register_id, from_date, to_date, time_class, read_state, quantity,"
              " 'BUA', '2026-10-01' from core.aggregated_read where origin = 'BUA'")  # fmt: skip
    before = everything(home)
    accrue(home, "A")
    home.call("bua_create_basic_read", ["A", "B"])
    assert everything(home) == before
    home.call("reset_basic_reads", ["A"])
    left = everything(home)
    assert {(str(row[6]), row[5]) for row in before[0]} - {(str(row[6]), row[5]) for row in left[0]} == set()
    assert len(before[0]) - len(left[0]) == 2  # September's and October's of account A
    assert len(before[1]) - len(left[1]) == 2


def test_accounts_after_each_other_make_the_same_reads_together_and_alone(home: Book) -> None:
    site = billed_to(home, "2026-09-30", "A", closed="2026-10-15")
    home.account("B", site=site, opened="2026-10-16")
    register = home.basic(site)
    home.read(register, ("2026-08-02", 0), ("2026-10-01", 288))
    accrue(home, "A", "B")
    together = everything(home)
    assert periods(home, register) == [
        ("2026-10-01", "2026-10-15", "ESTIMATED", 72), ("2026-10-16", "2026-10-31", "ESTIMATED", Decimal("76.8")),
    ]  # fmt: skip
    accrue(home, "B")
    accrue(home, "A")
    assert everything(home) == together
    home.call("reset_basic_reads", ["A", "B"])
    assert periods(home, register) == index_reads(home, register) == []


def test_outcomes(home: Book) -> None:
    home.basic(billed_to(home, "2026-09-30", "A"))
    home.register(billed_to(home, "2026-09-30", "INTERVAL"))
    home.ask("plan_work_items", "BasicRead", "one", 100)
    accrue(home, "A", "INTERVAL")
    home.call("finish_work_items", "BasicRead", ["A", "INTERVAL"])
    assert home.rows(
        "select item_key, state, reason from bua.bua_control where run_date = %s and run_type = 'BasicRead' order by 1",
        home.run_date,
    ) == [("A", "DONE", None), ("INTERVAL", "SKIP", "No basic register")]
