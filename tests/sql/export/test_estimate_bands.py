"""How far the estimates may be off, worked out by hand on a few meters; 125 Wh a half-hour are 6 kWh a day."""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.sql.accrue import accrue
from tests.sql.builder import Book

KEY = "QLD|RES|PRIMARY"
REFERENCE, GAP = ("2026-07-01", "2026-09-30"), ("2026-10-01", "2026-10-31")  # 92 and 31 days


def least(book: Book, registers: int, gas_meters: int = 30) -> None:
    for name, value in (("band_min_registers", registers), ("band_min_gas_meters", gas_meters)):
        book.rows("update bua.parameter set value = %s where name = %s", value, name)


def panel(book: Book, *meters: tuple[int, int], reference: tuple[str, str] = REFERENCE, gap: tuple[str, str] = GAP) -> None:
    """Interval homes: kWh a day on the reference days, and on those of the gap."""
    for n, (before, later) in enumerate(meters):
        register = book.register(book.account(f"P{n}"))
        book.days(register, *reference, before * 1000 // 48)
        book.days(register, *gap, later * 1000 // 48)
    book.close_profiles()
    book.segment("12")
    book.macro("2025-07-01", "2026-10-31", "10")


def basic(book: Book, name: str, *daily: int, **more: Any) -> None:
    """A home that was read each quarter to 1 October: its kWh a day, the latest quarter last."""
    reads = ["2025-07-01", "2025-10-01", "2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"][-len(daily) - 1 :]
    days = {"2025-10-01": 92, "2026-01-01": 92, "2026-04-01": 90, "2026-07-01": 91, "2026-10-01": 92}
    register = book.basic(book.account(name, **more))
    index, found = 0, [(reads[0], 0)]
    for read, kwh in zip(reads[1:], daily, strict=True):
        index += kwh * days[read]
        found.append((read, index))
    book.read(register, *found)
    book.billed(name, "2020-01-01", "2026-09-30")


def bands(book: Book) -> dict[str, dict[str, Any]]:
    """By segment, fuel ('ELECTRICITY') and '' for the book."""
    book.call("create_estimate_bands")
    with book.connection.cursor() as cursor:
        cursor.execute("select * from bua.estimate_band where run_date = %s order by level, fuel, segment", (book.run_date,))
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["segment"] or row["fuel"]: row for row in rows}


def close(value: Any, expected: float) -> bool:
    return math.isclose(float(value), expected, abs_tol=0.011)


@pytest.fixture
def town(book: Book) -> Book:
    """Four panel meters and two homes of 10 and 20 kWh a day, whose October is missing: 310 and 620 kWh at 30 cents."""
    book.plan()
    least(book, 4)
    panel(book, (6, 12), (12, 12), (18, 12), (24, 24))
    basic(book, "A", 10)
    basic(book, "B", 20)
    return book


# Predicted 186, 372, 558, 744 kWh, off by 186, 0, -186, 0: d^2 is 2 x 186^2 and p^2 30 x 186^2.
BEHAVIOUR = (310**2 + 620**2) * (2 / 30) * 4 / 3
# D = 930 x d / 1860 = 93, 0, -93, 0, around a mean of 0.
PROFILE = 4 / 3 * (93**2 + 93**2)


def test_behaviour_and_profile(town: Book) -> None:
    accrue(town, "A", "B")
    found = bands(town)[KEY]
    assert (found["units_estimated"], found["units_without_band"], found["registers"]) == (930, 0, 4)
    assert (found["net_estimated"], found["net_mid"], found["net_without_band"]) == (279, 279, 0)
    sd = math.sqrt(BEHAVIOUR + PROFILE)  # 256.47
    assert close(found["units_low_80"], 930 - 1.638 * sd)
    assert close(found["units_high_95"], 930 + 3.182 * sd)
    assert close(found["net_high_80"], 279 + 0.30 * 1.638 * sd)
    assert close(found["net_low_95"], 279 - 0.30 * 3.182 * sd)
    assert found["reason"] is None


def test_too_few_registers(town: Book) -> None:
    least(town, 5)
    accrue(town, "A", "B")
    found = bands(town)
    assert found[KEY]["net_mid"] is None
    assert found[KEY]["net_low_80"] is None
    assert found[KEY]["reason"] == (
        "Fewer than 5 interval registers of the segment were read on days like the missing ones: 930.000 KWH"
    )
    assert (found[""]["net_estimated"], found[""]["net_without_band"], found[""]["net_high_80"]) == (279, 279, None)
