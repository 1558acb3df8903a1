"""What a gas customer without history uses: the mean of the zone's customers of its class, without the giants."""

from decimal import Decimal
from typing import Any

import pytest
from tests.sql.accrue import accrue
from tests.sql.builder import Book

GAS: dict[str, Any] = {"fuel": "GAS", "state": "VIC"}


@pytest.fixture
def zone(book: Book) -> Book:
    """A zone of 2,000 GJ a day."""
    book.plan("FLAT", ("DAILY", "ANYTIME", "1.00"), ("USAGE", "ANYTIME", "0.03"))
    book.gas_volume("2024-11-01", "2026-10-31", 2_000_000)
    return book


def customer(book: Book, name: str, daily: Any, customer_class: str = "BUS") -> None:
    site = book.account(name, opened="2025-01-01", customer_class=customer_class, **GAS)
    book.billed(name, "2025-01-01", "2026-09-30")
    book.read(book.basic(site, uom="MJ"), ("2026-04-01", 0), ("2026-10-01", 183 * daily))


def new_shop(book: Book) -> tuple[Any, ...]:
    """A shop that opened on 20 October: 12 days."""
    book.basic(book.account("NEW", opened="2026-10-20", customer_class="BUS", **GAS), uom="MJ")
    book.call("import_gas_volumes_profile_creation")
    book.call("bua_create_macro_profile")
    accrue(book, "NEW")
    (row,) = book.rows(
        "select units_total, net_amount, method from bua.account_summary where run_date = %s", book.run_date
    )
    return row


def test_a_hospital_is_no_shops_average(zone: Book) -> None:
    for n in range(9):
        customer(zone, f"SHOP{n}", 100)
    customer(zone, "HOSPITAL", 500_000)
    assert new_shop(zone) == (1200, 48, "SEGMENT_AVERAGE")  # 12 x 100 MJ; 12 x 1.00 + 1,200 x 0.03


@pytest.mark.parametrize(("largest", "expected"), [(2000, 480), (2001, 100)])
def test_a_giant_uses_over_twenty_times_the_median(zone: Book, largest: int, expected: int) -> None:
    # Four of 100 and one of 20 times as much: (4 x 100 + 2000) / 5 = 480.
    for n in range(4):
        customer(zone, f"SHOP{n}", 100)
    customer(zone, "LARGE", largest)
    zone.call("import_gas_volumes_profile_creation")
    zone.call("bua_create_macro_profile")
    scalar = zone.value("select scalar * 2000000 from bua.profile_scalar where run_date = %s", zone.run_date)
    assert scalar == expected


def test_the_classes_of_a_zone_have_means_of_their_own(zone: Book) -> None:
    for n in range(3):
        customer(zone, f"SHOP{n}", 100)
        customer(zone, f"HOME{n}", 10 + n, "RES")
    assert new_shop(zone)[0] == 1200
    homes = zone.value(
        "select scalar * 2000000 from bua.profile_scalar where run_date = %s and customer_class = 'RES'", zone.run_date
    )
    assert homes == Decimal(11)
