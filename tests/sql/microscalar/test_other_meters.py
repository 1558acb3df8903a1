"""What other meters at the site say about a register: those before and after it, and those beside it.

The segment's median home uses 4.8 kWh a day. October 2026 is unbilled; the invoices before it were estimates.
"""

from decimal import Decimal
from typing import Any

import pytest
from tests.sql.accrue import accrue
from tests.sql.builder import Book, dec


@pytest.fixture
def segment(book: Book) -> Book:
    book.plan("FLAT", ("DAILY", "ANYTIME", "1.00"), ("USAGE", "ANYTIME", "0.30"), ("CONTROL", "ANYTIME", "0.15"))
    for stream in ("PRIMARY", "CONTROL"):
        key = f"QLD|RES|{stream}"
        book.segment(key=key)
        book.macro("2024-11-01", "2026-10-31", key=key)
        book.profile("2024-11-01", "2026-10-31", 0.1, key=key)
    return book


def site(book: Book) -> str:
    found = book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-09-30", estimated=True)
    return found


def years_of_reads(book: Book, register: int, daily: Any, last: str = "2026-10-11") -> None:
    """Reads of 1 November, 1 April and the last day, 151 and 193 days apart when that is 11 October."""
    days = (Decimal(n) for n in (0, 151, 344 if last == "2026-10-11" else 334))
    book.read(register, *((on, n * daily) for on, n in zip(("2025-11-01", "2026-04-01", last), days, strict=True)))


def scalars(book: Book) -> dict[int, tuple[Any, ...]]:
    found = book.rows("select meter_register_id, method, scalar, reference_days from bua.micro_scalar order by 1")
    return {register: tuple(row) for register, *row in found}


def summary(book: Book, columns: str = "units_actual, units_estimated, units_total, method") -> tuple[Any, ...]:
    (row,) = book.rows(f"select {columns} from bua.account_summary where run_date = %s", book.run_date)
    return row


# --- a meter of the other kind, before or after -----------------------------------------------------------------


def test_an_interval_meter_with_ten_days_has_the_basic_meters_years(segment: Book) -> None:
    at = site(segment)
    years_of_reads(segment, segment.basic(at, end="2026-10-10", serial="OLD"), 48)
    new = segment.register(at, start="2026-10-11", serial="NEW")
    segment.days(new, "2026-10-11", "2026-10-20", 1000)
    segment.snapshot()
    accrue(segment, "A")
    assert summary(segment) == (20 * 48, 11 * 48, 31 * 48, "OTHER_METER")
    assert scalars(segment)[new] == ("OTHER_METER", 10, 193)


def test_an_interval_meter_that_was_never_read(segment: Book) -> None:
    at = site(segment)
    years_of_reads(segment, segment.basic(at, end="2026-10-10", serial="OLD"), 48)
    segment.register(at, start="2026-10-11", serial="NEW")
    accrue(segment, "A")
    assert summary(segment) == (10 * 48, 21 * 48, 31 * 48, "OTHER_METER")


def test_a_basic_meter_after_an_interval_meter(segment: Book) -> None:
    at = site(segment)
    old = segment.register(at, end="2026-10-10", serial="OLD")
    segment.days(old, "2026-03-11", "2026-10-10", 1000)
    segment.snapshot()
    new = segment.basic(at, start="2026-10-11", serial="NEW")
    accrue(segment, "A")
    assert summary(segment) == (10 * 48, 21 * 48, 31 * 48, "OTHER_METER")
    assert scalars(segment)[new] == ("OTHER_METER", 10, 91)


def test_fourteen_days_of_its_own_go_before(segment: Book) -> None:
    at = site(segment)
    years_of_reads(segment, segment.basic(at, end="2026-09-30", serial="OLD"), 48, last="2026-10-01")
    new = segment.register(at, start="2026-10-01", serial="NEW")
    segment.days(new, "2026-10-01", "2026-10-14", 200)
    segment.snapshot()
    accrue(segment, "A")
    assert summary(segment, "units_total, method") == (31 * dec("9.6"), "RECENT_DAYS")


def test_short_spans_of_the_other_meter_will_do(segment: Book) -> None:
    at = site(segment)
    old = segment.basic(at, end="2026-10-10", serial="OLD")
    segment.read(old, ("2026-09-01", 0), ("2026-10-11", 40 * 24))
    segment.register(at, start="2026-10-11", serial="NEW")
    accrue(segment, "A")
    assert summary(segment, "units_total, method") == (31 * 24, "OTHER_METER")


def test_thirteen_days_of_the_other_meter_are_none(segment: Book) -> None:
    at = site(segment)
    old = segment.basic(at, end="2026-10-10", serial="OLD")
    segment.read(old, ("2026-09-28", 0), ("2026-10-11", 13 * 24))
    new = segment.register(at, start="2026-10-11", serial="NEW")
    segment.call("bua_create_invoice_scalar", ["A"])
    assert scalars(segment)[new] == ("SEGMENT_AVERAGE", 1, None)


def test_the_day_of_the_exchange_may_be_both_meters(segment: Book) -> None:
    at = site(segment)
    years_of_reads(segment, segment.basic(at, end="2026-10-11", serial="OLD"), 48)
    new = segment.register(at, start="2026-10-11", serial="NEW")
    segment.call("bua_create_invoice_scalar", ["A"])
    assert scalars(segment)[new] == ("OTHER_METER", 10, 193)


def test_each_stream_type_has_its_own_meter_before(segment: Book) -> None:
    at = site(segment)
    years_of_reads(segment, segment.basic(at, "11", end="2026-10-10", serial="OLD"), 48)
    years_of_reads(segment, segment.basic(at, "41", stream="CONTROL", end="2026-10-10", serial="OLD"), 24)
    home = segment.register(at, "E1", start="2026-10-11", serial="NEW")
    water = segment.register(at, "E2", stream="CONTROL", start="2026-10-11", serial="NEW")
    accrue(segment, "A")
    assert (scalars(segment)[home][:2], scalars(segment)[water][:2]) == (("OTHER_METER", 10), ("OTHER_METER", 5))
    assert summary(segment, "units_total") == (31 * 72,)


def test_two_basic_registers_become_one_interval_register(segment: Book) -> None:
    at = site(segment)
    for suffix, daily in (("11", 48), ("12", 24)):
        years_of_reads(segment, segment.basic(at, suffix, end="2026-10-10", serial="OLD"), daily)
    segment.register(at, start="2026-10-11", serial="NEW")
    accrue(segment, "A")
    assert summary(segment, "units_total") == (31 * 72,)


def test_one_basic_register_becomes_two_interval_registers(segment: Book) -> None:
    at = site(segment)
    years_of_reads(segment, segment.basic(at, end="2026-10-10", serial="OLD"), 48)
    for suffix in ("E1", "E2"):
        segment.register(at, suffix, start="2026-10-11", serial="NEW")
    accrue(segment, "A")
    assert summary(segment, "units_total") == (31 * 48,)


def test_the_meter_that_was_read_last_counts(segment: Book) -> None:
    at = site(segment)
    first = segment.basic(at, end="2026-03-31", serial="ONE")
    segment.read(first, ("2025-11-01", 0), ("2026-04-01", 151 * 96))
    second = segment.basic(at, start="2026-04-01", end="2026-10-10", serial="TWO")
    segment.read(second, ("2026-04-01", 0), ("2026-10-11", 193 * 24))
    segment.register(at, start="2026-10-11", serial="NEW")
    accrue(segment, "A")
    assert summary(segment, "units_total, method") == (31 * 24, "OTHER_METER")


def test_a_meter_of_an_earlier_occupant_says_nothing(segment: Book) -> None:
    before = segment.account("BEFORE", opened="2024-01-01", closed="2026-10-10")
    old = segment.basic(before, end="2026-10-10", serial="OLD")
    years_of_reads(segment, old, 48)
    segment.account("A", site=before, opened="2026-10-11")
    new = segment.register(before, start="2026-10-11", serial="NEW")
    segment.call("bua_create_invoice_scalar", ["A"])
    assert scalars(segment)[new] == ("SEGMENT_AVERAGE", 1, None)


def test_a_meter_that_came_on_the_accounts_last_day_has_the_old_ones_use(segment: Book) -> None:
    at = segment.account("A", opened="2025-11-01", closed="2026-10-20")
    segment.billed("A", "2025-11-01", "2026-09-30", estimated=True)
    years_of_reads(segment, segment.basic(at, end="2026-10-20", serial="OLD"), 48)
    new = segment.basic(at, "12", start="2026-10-20", serial="NEW")
    segment.call("bua_create_invoice_scalar", ["A"])
    assert scalars(segment)[new] == ("OTHER_METER", 10, 193)


def test_a_giant_stays_one_after_the_roll_out(segment: Book) -> None:
    at = site(segment)
    years_of_reads(segment, segment.basic(at, end="2026-10-10", serial="OLD"), 480)  # 100 times the median
    new = segment.register(at, start="2026-10-11", serial="NEW")
    accrue(segment, "A")
    assert summary(segment, "units_total, flags") == (31 * 480, "ESTIMATED_BILL;GIANT")
    assert scalars(segment)[new] == ("GIANT_DAILY_MEAN", None, 193)


# --- registers beside each other --------------------------------------------------------------------------------


def test_each_register_has_its_own_spans(segment: Book) -> None:
    at = site(segment)
    one = segment.basic(at, "11")
    segment.read(one, ("2026-01-01", 0), ("2026-04-01", 90 * 96), ("2026-10-01", 273 * 96))
    two = segment.basic(at, "12", start="2026-08-20", serial="M2")
    segment.read(two, ("2026-08-20", 0), ("2026-10-01", 42 * dec("2.4")))
    accrue(segment, "A")
    assert scalars(segment) == {one: ("READS", 20, 183), two: ("OLDER_READS", dec("0.5"), 42)}
    assert summary(segment, "units_total, net_amount") == (dec("3050.4"), dec("946.12"))


def test_two_meters_of_one_suffix_beside_each_other_too(segment: Book) -> None:
    at = site(segment)
    one = segment.basic(at, serial="M1")
    segment.read(one, ("2026-01-01", 0), ("2026-10-01", 273 * 96))
    two = segment.basic(at, start="2026-08-20", serial="M2")
    segment.read(two, ("2026-08-20", 0), ("2026-10-01", 42 * dec("2.4")))
    accrue(segment, "A")
    assert summary(segment, "units_total") == (dec("3050.4"),)


def test_a_register_without_reads_beside_one_with_reads_is_the_segments(segment: Book) -> None:
    at = site(segment)
    years_of_reads(segment, segment.basic(at, "11"), 48, last="2026-10-01")
    other = segment.basic(at, "12", serial="M2")
    segment.call("bua_create_invoice_scalar", ["A"])
    assert scalars(segment)[other] == ("SEGMENT_AVERAGE", 1, None)
