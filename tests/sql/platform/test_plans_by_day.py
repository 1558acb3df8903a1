"""Every day is priced by the plan that the account has on it; export without a price; a basic register and time classes.

The whole of what SQL does, as in test_occupancy. October 2026 begins on a Thursday: 22 weekdays, 9 days of weekend.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.sql.accrue import accrued, read_days, units
from tests.sql.builder import Book


@pytest.fixture
def town(book: Book) -> Iterator[Book]:
    """A segment whose profile is 4.8 kWh every day; the tests bring their plans."""
    book.segment()
    book.macro("2024-11-01", "2026-10-31")
    book.profile("2024-11-01", "2026-10-31", 0.1)
    return book


def october(book: Book, plan: str) -> str:
    """An account that is billed to 30 September."""
    site: str = book.account("A", opened="2025-11-01", plan=plan)
    book.billed("A", "2025-11-01", "2026-09-30", units={"PRIMARY": 1608})
    return site


def history(book: Book, *rows: tuple[str, str, str | None]) -> None:
    for plan, first, last in rows:
        book.rows("insert into core.account_plan values ('A', %s, %s, %s)", plan, first, last)


def windows(book: Book, plan: str, *rows: tuple[str, str, int, int]) -> None:
    """(class, days, first hour, last hour)"""
    for time_class, days, first, last in rows:
        book.rows(
            "insert into core.time_class_window values (%s, %s, %s, %s, %s)",
            *(plan, time_class, days, first * 60, last * 60),
        )


def lines(book: Book) -> list[tuple[Any, ...]]:
    return book.rows(
        "select plan_code, l.item_type, l.time_class, round(quantity, 3), l.net_amount from core.invoice_line_item l"
        " join core.invoice i using (invoice_id) left join core.plan_item p using (plan_item_id)"
        " where i.origin = 'BUA' order by 1, 2, 3"
    )


def test_a_plan_that_changed_in_the_window(town: Book) -> None:
    """15 days of the old plan: 72 kWh x 0.30. 16 of the new one, which has prices since 16 October: 76.8 x 0.60."""
    town.plan("OLD")
    town.plan("NEW", ("DAILY", "ANYTIME", "1.50", "2026-10-16"), ("USAGE", "ANYTIME", "0.60", "2026-10-16"))
    register = town.basic(october(town, "NEW"))
    history(town, ("OLD", "2025-11-01", "2026-10-15"), ("NEW", "2026-10-16", None))
    town.read(register, ("2026-07-01", 0), ("2026-10-01", "441.6"))
    row = accrued(town, "A")["A"]
    assert lines(town) == [
        ("NEW", "DAILY", "ANYTIME", 16, 24),
        ("NEW", "USAGE", "ANYTIME", Decimal("76.8"), Decimal("46.08")),
        ("OLD", "DAILY", "ANYTIME", 15, 15),
        ("OLD", "USAGE", "ANYTIME", 72, Decimal("21.6")),
    ]
    assert units(row) == (31, 0, Decimal("148.8"), Decimal("106.68"), "")


def test_the_same_with_an_interval_register_of_which_a_part_is_read(town: Book) -> None:
    """Read to the 10th, estimated after it, either side of the change."""
    town.plan("OLD")
    town.plan("NEW", ("DAILY", "ANYTIME", "1.50"), ("USAGE", "ANYTIME", "0.60"))
    site = october(town, "OLD")  # the account's own plan is of no matter where its history says otherwise
    history(town, ("OLD", "2020-01-01", "2026-10-15"), ("NEW", "2026-10-16", None))
    read_days(town, town.register(site), "2026-07-01", "2026-10-10")
    row = accrued(town, "A")["A"]
    assert units(row) == (31, 48, Decimal("100.8"), Decimal("106.68"), "")


def test_days_outside_the_history_have_the_accounts_own_plan(town: Book) -> None:
    """A promotion from 10 to 12 October: 3 days free of supply, 14.4 kWh at 0.10; 28 days of 1.00, 134.4 kWh at 0.30."""
    town.plan("FLAT")
    town.plan("PROMO", ("DAILY", "ANYTIME", "0"), ("USAGE", "ANYTIME", "0.10"))
    register = town.basic(october(town, "FLAT"))
    history(town, ("PROMO", "2026-10-10", "2026-10-12"))
    town.read(register, ("2026-07-01", 0), ("2026-10-01", "441.6"))
    row = accrued(town, "A")["A"]
    assert lines(town) == [
        ("FLAT", "DAILY", "ANYTIME", 28, 28),
        ("FLAT", "USAGE", "ANYTIME", Decimal("134.4"), Decimal("40.32")),
        ("PROMO", "DAILY", "ANYTIME", 3, 0),
        ("PROMO", "USAGE", "ANYTIME", Decimal("14.4"), Decimal("1.44")),
    ]
    assert row["flags"] == ""


def test_time_class_windows_are_those_of_the_days_plan(town: Book) -> None:
    """To 15 October PEAK from 0 to 12, then from 0 to 6; half-hours of 0.1 kWh are estimated all month.

    OLD: 15 x 2.4 of either class. NEW: 16 x 1.2 PEAK, 16 x 3.6 OFFPEAK.
    """
    for plan, until in (("OLD", 12), ("NEW", 6)):
        town.plan(plan, ("DAILY", "ANYTIME", "1"), ("USAGE", "PEAK", "0.5"), ("USAGE", "OFFPEAK", "0.2"))
        windows(town, plan, ("PEAK", "ALL", 0, until), ("OFFPEAK", "ALL", until, 24))
    site = october(town, "NEW")
    history(town, ("OLD", "2025-11-01", "2026-10-15"))
    read_days(town, town.register(site), "2026-07-01", "2026-09-30")
    row = accrued(town, "A")["A"]
    assert lines(town) == [
        ("NEW", "DAILY", "ANYTIME", 16, 16),
        ("NEW", "USAGE", "OFFPEAK", Decimal("57.6"), Decimal("11.52")),
        ("NEW", "USAGE", "PEAK", Decimal("19.2"), Decimal("9.6")),
        ("OLD", "DAILY", "ANYTIME", 15, 15),
        ("OLD", "USAGE", "OFFPEAK", 36, Decimal("7.2")),
        ("OLD", "USAGE", "PEAK", 36, 18),
    ]
    assert row["flags"] == ""


def test_blocks_discounts_and_feed_in_are_those_of_the_days_plan(town: Book) -> None:
    """There and back: OLD on 1 to 10 and 21 to 31 October, NEW between. 10 kWh are used and 5 exported every day.

    OLD: 21 bill days, 210 kWh, of which 21 x 4 = 84 at 0.10 and 126 at 0.40, a tenth off for half of the customers:
    (8.4 + 50.4) x 0.95. NEW: 10 days, 100 kWh at 0.50. Feed-in only on NEW: 50 x 0.08.
    """
    town.plan("OLD", ("DAILY", "ANYTIME", "1"))
    for number, rate, width in ((1, "0.10", 4), (2, "0.40", None)):
        town.rows(
            "insert into core.plan_item (plan_code, item_type, time_class, valid_from, rate, block_number,"
            " block_limit_per_day, discount_percent, discount_propensity)"
            " values ('OLD', 'USAGE', 'ANYTIME', '2020-01-01', %s, %s, %s, 10, 0.5)",
            *(rate, number, width),
        )
    town.plan("NEW", ("DAILY", "ANYTIME", "2"), ("USAGE", "ANYTIME", "0.5"), ("FEED_IN", "ANYTIME", "0.08"))
    site = october(town, "OLD")
    history(town, ("NEW", "2026-10-11", "2026-10-20"))
    town.platform_units(town.register(site), "2026-10-01", "2026-10-31", 10)
    town.platform_units(town.register(site, "B1", stream="SOLAR"), "2026-10-01", "2026-10-31", 5)
    row = accrued(town, "A")["A"]
    assert lines(town) == [
        ("NEW", "DAILY", "ANYTIME", 10, 20),
        ("NEW", "FEED_IN", "ANYTIME", 50, -4),
        ("NEW", "USAGE", "ANYTIME", 100, 50),
        ("OLD", "DAILY", "ANYTIME", 21, 21),
        ("OLD", "USAGE", "ANYTIME", 84, Decimal("7.98")),
        ("OLD", "USAGE", "ANYTIME", 126, Decimal("47.88")),
        (None, "FEED_IN", "ANYTIME", 105, 0),
    ]
    assert row["flags"] == ""


def test_only_days_without_a_price_are_flagged(town: Book) -> None:
    """The new plan's prices begin a day after it: 4.8 kWh and a day of supply without one."""
    town.plan("OLD")
    town.plan("NEW", ("DAILY", "ANYTIME", "1", "2026-10-17"), ("USAGE", "ANYTIME", "0.60", "2026-10-17"))
    register = town.basic(october(town, "NEW"))
    history(town, ("OLD", "2025-11-01", "2026-10-15"))
    town.read(register, ("2026-07-01", 0), ("2026-10-01", "441.6"))
    row = accrued(town, "A")["A"]
    assert units(row) == (31, 0, Decimal("148.8"), 30 + Decimal("64.8"), "NO_PRICE")  # 72 x 0.30 + 72 x 0.60


# --- export without a price -------------------------------------------------------------------------------------


def solar(book: Book, plan: str) -> dict[str, Any]:
    site = october(book, plan)
    for register in (book.register(site), book.register(site, "B1", stream="SOLAR")):
        read_days(book, register, "2026-07-01", "2026-10-31")
    row: dict[str, Any] = accrued(book, "A")["A"]
    return row


def test_export_on_a_plan_without_feed_in_is_worth_nothing(town: Book) -> None:
    town.plan("FLAT")
    assert units(solar(town, "FLAT")) == (31, Decimal("148.8"), 0, 31 + Decimal("44.64"), "")
    quantity = "select item_type, net_amount, rate from bua.invoice_line_item_monthly where stream_type = 'SOLAR'"
    assert town.rows(quantity) == [("FEED_IN", 0, 0)]


def test_a_feed_in_price_that_ends_leaves_days_without_one(town: Book) -> None:
    town.plan(
        "FLAT",
        ("DAILY", "ANYTIME", "1"),
        ("USAGE", "ANYTIME", "0.3"),
        ("FEED_IN", "ANYTIME", "0.1", "2020-01-01", "2026-10-30"),
    )
    assert units(solar(town, "FLAT"))[3:] == (31 + Decimal("44.64") - Decimal("14.4"), "NO_PRICE")  # 30 x 4.8 x 0.1


# --- a basic register on a plan of time classes -----------------------------------------------------------------


def test_an_index_is_divided_by_the_hours_of_the_classes(town: Book) -> None:
    """PEAK on weekdays from 14 to 20, a quarter of the day: 22 x 4.8 / 4 = 26.4 kWh. OFFPEAK has the other 122.4.

    Monday 5 October is made a holiday: 21 weekdays, 25.2 and 123.6.
    """
    town.plan("TOU", ("DAILY", "ANYTIME", "1"), ("USAGE", "PEAK", "0.40"), ("USAGE", "OFFPEAK", "0.20"))
    windows(town, "TOU", ("PEAK", "WEEKDAY", 14, 20), ("OFFPEAK", "ALL", 0, 24))
    town.holiday("2026-10-05")
    register = town.basic(october(town, "TOU"))
    town.read(register, ("2026-07-01", 0), ("2026-10-01", "441.6"))
    row = accrued(town, "A")["A"]
    # 25.2 x 0.40 + 123.6 x 0.20 = 10.08 + 24.72
    assert units(row) == (31, 0, Decimal("148.8"), 31 + Decimal("34.8"), "CLASS_BY_HOURS")
    index = "select index_value from core.meter_read where origin = 'BUA' and read_date = '2026-11-01'"
    assert town.value(index) == Decimal("590.4")  # 441.6 + 148.8


def test_a_plan_with_an_anytime_price_is_not_divided(town: Book) -> None:
    town.plan("TOU", ("DAILY", "ANYTIME", "1"), ("USAGE", "PEAK", "0.40"), ("USAGE", "ANYTIME", "0.20"))
    windows(town, "TOU", ("PEAK", "WEEKDAY", 14, 20))
    town.read(town.basic(october(town, "TOU")), ("2026-07-01", 0), ("2026-10-01", "441.6"))
    assert units(accrued(town, "A")["A"])[3:] == (31 + Decimal("29.76"), "")


def test_without_windows_there_is_nothing_to_divide_by(town: Book) -> None:
    town.plan("TOU", ("DAILY", "ANYTIME", "1"), ("USAGE", "PEAK", "0.40"), ("USAGE", "OFFPEAK", "0.20"))
    town.read(town.basic(october(town, "TOU")), ("2026-07-01", 0), ("2026-10-01", "441.6"))
    assert units(accrued(town, "A")["A"])[2:] == (Decimal("148.8"), 31, "NO_PRICE")
