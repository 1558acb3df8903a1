"""What a basic meter's reads of last year say about the days that are missing now, and when a meter is vacant.

Reads are 91 days apart: the last on 1 September 2026, the ones before it on 2 June, 3 March, 2 December 2025, 2 September
and 3 June. From the last read on, 364 days back is 2 September 2025: what is missing now is what was read from then to 2
December. The macro profile is 10 kWh a day, so 91 days have 910 kWh; a gas zone's volume is said with each test.
"""

from datetime import date, timedelta
from math import sqrt
from typing import Any

import pytest
from tests.sql.builder import Book

LAST = date(2026, 9, 1)
COLUMNS = "method, scalar, daily_base, season_ratio, is_vacant, is_giant"


def reads(book: Book, register: int, *usage: float, days: int = 91) -> None:
    """The latest span last; the index begins at zero."""
    index, dates = 0.0, [LAST - timedelta(days * n) for n in range(len(usage), -1, -1)]
    rows: list[tuple[Any, ...]] = [(str(dates[0]), 0)]
    for read_date, used in zip(dates[1:], usage, strict=True):
        index += used
        rows.append((str(read_date), index))
    book.read(register, *rows)


def meter(book: Book, account_id: str = "A", **more: Any) -> int:
    more = {"opened": "2024-01-01", **more}
    site = book.account(account_id, **more)
    book.billed(account_id, more["opened"], "2026-08-31", estimated=True)
    return book.basic(site, uom="MJ" if more.get("fuel") == "GAS" else "KWH")


def scalar(book: Book, account_id: str = "A") -> tuple[Any, ...]:
    book.call("bua_create_invoice_scalar", [account_id])
    method, value, base, ratio, vacant, giant = book.scalar(account_id, COLUMNS)
    return method, float(value), float(base), ratio and float(ratio), vacant, giant


@pytest.fixture
def shops(book: Book) -> Book:
    book.segment(10, key="QLD|BUS|PRIMARY")
    book.macro("2024-11-01", "2026-10-31", 10, key="QLD|BUS|PRIMARY")
    return book


def test_a_business_has_half_of_its_own_season(shops: Book) -> None:
    # s1 = 1820 / 910 = 2; last year 3640 / 910 = 4 on the days now missing, 910 / 910 = 1 before them: own is 4, taken as 3.
    reads(shops, meter(shops, customer_class="BUS"), 910, 3640, 910, 910, 1820)
    assert scalar(shops) == ("READS_SEASON", pytest.approx(2 * sqrt(3)), 0, 3, False, False)
    assert shops.scalar("A", "season_from::text, season_to::text, reference_from::text") == (
        "2025-09-02", "2025-12-01", "2026-06-02",
    )  # fmt: skip


def test_a_ratio_within_the_limit_is_taken_as_it_is(shops: Book) -> None:
    # own = (1365 / 910) / (2730 / 910) = 0.5
    reads(shops, meter(shops, customer_class="BUS"), 2730, 1365, 910, 910, 1820)
    assert scalar(shops)[:4] == ("READS_SEASON", pytest.approx(2 * sqrt(0.5)), 0, 0.5)


def test_without_the_span_before_it_the_geometric_mean(shops: Book) -> None:
    # s1 = 2 and s4 = 3640 / 910 = 4
    reads(shops, meter(shops, customer_class="BUS"), 3640, 910, 910, 1820)
    assert scalar(shops)[:4] == ("READS_SEASON", pytest.approx(sqrt(8)), 0, None)


@pytest.mark.parametrize("usage", [(910, 0, 910, 910, 1820), (0, 3640, 910, 910, 1820), (910, 910, 1820)])
def test_a_season_that_is_zero_or_unknown_says_nothing(shops: Book, usage: tuple[float, ...]) -> None:
    reads(shops, meter(shops, customer_class="BUS"), *usage)
    assert scalar(shops)[:4] == ("READS", 2, 0, None)


def test_a_home_keeps_the_season_that_was_read(book: Book) -> None:
    book.segment(10)
    book.macro("2024-11-01", "2026-10-31", 10)
    reads(book, meter(book), 910, 3640, 910, 910, 1820)
    assert scalar(book)[:4] == ("READS", 2, 0, 3)


def test_monthly_reads_find_the_same_days(shops: Book) -> None:
    # 30 days a span. Of 1 September the 273rd day back is 2 December: the read of 5 December, nine spans back; the 365th is
    # 1 September: that of 6 September, twelve back. The reference is two spans: the read before it is fourteen back.
    usage = [300.0] * 18
    usage[4:6], usage[6:9], usage[16:18] = [150, 150], [600, 600, 600], [600, 600]
    reads(shops, meter(shops, customer_class="BUS"), *usage, days=30)
    # s1 = 1200 / 600 = 2; s4 = 1800 / 900 = 2, s5 = 300 / 600 = 0.5, own 4, taken as 3.
    assert scalar(shops)[:4] == ("READS_SEASON", pytest.approx(2 * sqrt(3)), 0, 3)


def test_a_giant_has_its_whole_season_and_no_cap(shops: Book) -> None:
    # 91 days of 300 kWh, 30 times the median: s1 = 30. own = 1.5
    reads(shops, meter(shops, customer_class="BUS"), 18_200, 27_300, 27_300, 27_300, 27_300)
    assert scalar(shops) == ("READS_SEASON", 45, 0, 1.5, False, True)


# --- gas --------------------------------------------------------------------------------------------------------


def volumes(book: Book) -> list[int]:
    """A zone of 1,000 MJ a day in summer (December to 2 June's reads) and 5,000 in winter; each span's volume, the first first."""
    spans = [
        1000,
        3000,
        5000,
        2000,
        1000,
    ]  # a day, on the spans that end on 2 Sep 2025, 2 Dec, 3 Mar, 2 Jun, 1 Sep 2026
    book.macro("2024-11-01", "2025-06-02", 4000, key="VIC|ZONE")
    start = LAST - timedelta(91 * 5)
    for n, volume in enumerate(spans):
        first = start + timedelta(91 * n)
        book.macro(str(first), str(first + timedelta(90)), volume, key="VIC|ZONE")
    book.macro(str(LAST), "2026-10-31", 3000, key="VIC|ZONE")
    return spans


def test_gas_has_a_base_and_a_slope_and_its_own_season(book: Book) -> None:
    spans = volumes(book)
    # 20 MJ a day, and 0.01 of the zone's volume: the fit is exact.
    reads(book, meter(book, state="VIC", fuel="GAS"), *(91 * (20 + volume / 100) for volume in spans))
    # s1 = 30 / 1000; s4 = 50 / 3000, s5 = 30 / 1000: own = 5 / 9. Half of the fit, half of the season.
    seasonal = 0.03 * (5 / 9) ** 0.67
    assert scalar(book) == (
        "BASE_AND_SEASON", pytest.approx(0.005 + seasonal / 2), pytest.approx(10), pytest.approx(5 / 9), False, False,
    )  # fmt: skip


def test_the_fit_is_moved_to_the_latest_span_at_most_by_half(book: Book) -> None:
    spans = volumes(book)
    usage = [91 * (60 + volume / 100) for volume in spans]
    reads(book, meter(book, state="VIC", fuel="GAS"), *usage[:4], usage[4] / 10)
    # s1 = 7 / 1000; s4 = 90 / 3000, s5 = 70 / 1000: own = 3 / 7.
    method, value, base, own, *_ = scalar(book)
    # A weighted least squares fit, by its normal equations: the weights are 0.8 ^ k over the mean volume.
    weights = [0.8**k / v for k, v in zip((5, 4, 3, 2, 1), spans, strict=True)]
    used = [*usage[:4], usage[4] / 10]
    dd = sum(w * 91**2 for w in weights)
    dv = sum(w * 91 * 91 * v for w, v in zip(weights, spans, strict=True))
    vv = sum(w * (91 * v) ** 2 for w, v in zip(weights, spans, strict=True))
    du = sum(w * 91 * u for w, u in zip(weights, used, strict=True))
    vu = sum(w * 91 * v * u for w, v, u in zip(weights, spans, used, strict=True))
    fitted_base, fitted_slope = (du * vv - vu * dv) / (dd * vv - dv**2), (vu * dd - du * dv) / (dd * vv - dv**2)
    assert fitted_base > 0
    fitted = 91 * (fitted_base + 1000 * fitted_slope)
    assert used[4] / fitted < 0.5
    assert (method, own) == ("BASE_AND_SEASON", pytest.approx(3 / 7))
    assert base == pytest.approx(0.5 * 0.5 * fitted_base)
    assert value == pytest.approx(0.5 * 0.5 * fitted_slope + 0.5 * 0.007 * (3 / 7) ** 0.67)


def test_a_base_below_zero_is_none(book: Book) -> None:
    spans = volumes(book)
    # u = 0.01 x (volume - 500) x 91: the line goes below zero at the origin. With the base at zero the slope is vu / vv.
    usage = [91 * (volume - 500) / 100 for volume in spans]
    reads(book, meter(book, state="VIC", fuel="GAS"), *usage)
    weights = [0.8**k / v for k, v in zip((5, 4, 3, 2, 1), spans, strict=True)]
    slope = sum(w * v * (v - 500) / 100 for w, v in zip(weights, spans, strict=True)) / sum(
        w * v * v for w, v in zip(weights, spans, strict=True)
    )
    move = 5 / (1000 * slope)  # the latest span has 5 MJ a day
    own = (25 / 3000) / (5 / 1000)
    assert scalar(book)[:3] == (
        "BASE_AND_SEASON", pytest.approx(0.5 * max(move, 0.5) * slope + 0.5 * 0.005 * own**0.67), 0,
    )  # fmt: skip


def test_three_spans_of_gas_are_too_few_to_fit(book: Book) -> None:
    volumes(book)
    reads(book, meter(book, state="VIC", fuel="GAS"), 9100, 9100, 2730)
    assert scalar(book)[:3] == ("READS", pytest.approx(0.03), 0)


# --- gas, where temperatures are known --------------------------------------------------------------------------


def degrees(book: Book, *daily: float, since: str = "2024-11-01") -> None:
    """The zone's degree-days a day: on the five spans of volumes(), the first first, and 3 on every other day."""
    book.rows("update bua.macro_profile set degree_days = 3 where profile_date >= %s", since)
    for n, value in enumerate(daily):
        first = LAST - timedelta(91 * (len(daily) - n))
        book.rows(
            "update bua.macro_profile set degree_days = %s where profile_date between %s and %s",
            *(value, first, first + timedelta(90)),
        )


def degree_slope(book: Book) -> float:
    (value,) = book.scalar("A", "degree_slope")
    return float(value)


def test_gas_with_temperatures_follows_degree_days(book: Book) -> None:
    spans, cold = volumes(book), [0, 4, 9, 5, 1]
    degrees(book, *cold)
    # 20 MJ a day and 8 MJ a degree-day, exactly: 20, 52, 92, 60, 28 a day.
    reads(book, meter(book, state="VIC", fuel="GAS"), *(91 * (20 + 8 * value) for value in cold))
    # s1 = 28 / 1000; s4 = 52 / 3000, s5 = 20 / 1000: own = 13 / 15. Six tenths of the fit, four of the season.
    assert spans == [1000, 3000, 5000, 2000, 1000]
    seasonal = 0.028 * (13 / 15) ** 0.67
    assert scalar(book)[:4] == (
        "DEGREE_DAYS", pytest.approx(0.4 * seasonal), pytest.approx(0.6 * 20), pytest.approx(13 / 15),
    )  # fmt: skip
    assert degree_slope(book) == pytest.approx(0.6 * 8)


def test_a_fit_to_degree_days_is_moved_to_the_latest_span(book: Book) -> None:
    volumes(book)
    cold = [0, 4, 9, 5, 1]
    degrees(book, *cold)
    used = [91 * (20 + 8 * value) for value in cold]
    used[4] = 91 * 60  # the fit is drawn towards it, and then moved by a factor
    reads(book, meter(book, state="VIC", fuel="GAS"), *used)
    scalar(book)
    weight = [0.8**k / v for k, v in zip((5, 4, 3, 2, 1), (1000, 3000, 5000, 2000, 1000), strict=True)]
    daily = [value / 91 for value in used]
    dd, dv = sum(weight), sum(w * c for w, c in zip(weight, cold, strict=True))
    vv = sum(w * c * c for w, c in zip(weight, cold, strict=True))
    du = sum(w * u for w, u in zip(weight, daily, strict=True))
    vu = sum(w * c * u for w, c, u in zip(weight, cold, daily, strict=True))
    base, slope = (du * vv - vu * dv) / (dd * vv - dv**2), (vu * dd - du * dv) / (dd * vv - dv**2)
    assert min(base, slope) > 0
    move = 60 / (base + slope)
    assert 1 < move < 2
    assert degree_slope(book) == pytest.approx(0.6 * move * slope)
    assert float(book.scalar("A", "daily_base")[0]) == pytest.approx(0.6 * move * base)


def test_a_zone_that_never_is_cold_has_a_base_alone(book: Book) -> None:
    volumes(book)
    degrees(book, 0, 0, 0, 0, 0)
    reads(book, meter(book, state="VIC", fuel="GAS"), *[91 * 30] * 5)
    # s1 = 30 / 1000; s4 = 30 / 3000, s5 = 30 / 1000: own = 1 / 3
    assert scalar(book)[:3] == ("DEGREE_DAYS", pytest.approx(0.4 * 0.03 * (1 / 3) ** 0.67), pytest.approx(0.6 * 30))
    assert degree_slope(book) == 0


@pytest.mark.parametrize("unknown", ["2026-10-15", "2026-03-15"])
def test_a_day_without_degree_days_brings_the_volume_back(book: Book, unknown: str) -> None:
    spans = volumes(book)
    degrees(book, 0, 4, 9, 5, 1)
    book.rows("update bua.macro_profile set degree_days = null where profile_date = %s", unknown)
    reads(book, meter(book, state="VIC", fuel="GAS"), *(91 * (20 + volume / 100) for volume in spans))
    assert scalar(book)[:3] == ("BASE_AND_SEASON", pytest.approx(0.005 + 0.015 * (5 / 9) ** 0.67), pytest.approx(10))
    assert degree_slope(book) == 0


def test_a_day_is_base_and_volume_and_degree_days(book: Book) -> None:
    volumes(book)
    cold = [0, 4, 9, 5, 1]
    degrees(book, *cold)
    reads(book, meter(book, state="VIC", fuel="GAS"), *(91 * (20 + 8 * value) for value in cold))
    scalar(book)
    # From 1 September on the zone has 3,000 MJ and 3 degree-days a day.
    a_day = 0.6 * (20 + 8 * 3) + 0.4 * 3000 * 0.028 * (13 / 15) ** 0.67
    found = book.ask("basic_days", ["A"], columns="distinct read_state, quantity")
    assert [(state, float(units)) for state, units in found] == [("ESTIMATED", pytest.approx(a_day, abs=1e-6))]


# --- nothing used -----------------------------------------------------------------------------------------------


def test_heating_that_is_off_in_summer_comes_back(book: Book) -> None:
    volumes(book)
    # Last spring 91 days of 60 MJ in a zone of 3,000; nothing since autumn. s4 = 0.02 is the season; the fit over five spans has
    # no base: sum w v u / sum w v v, and a latest span of zero does not move it.
    reads(book, meter(book, state="VIC", fuel="GAS"), 0, 91 * 60, 91 * 100, 0, 0)
    weights = [0.8**k / v for k, v in zip((4, 3), (3000, 5000), strict=True)]
    others = [0.8**k / v * v * v for k, v in zip((5, 2, 1), (1000, 2000, 1000), strict=True)]
    slope = (weights[0] * 3000 * 60 + weights[1] * 5000 * 100) / (
        weights[0] * 3000**2 + weights[1] * 5000**2 + sum(others)
    )
    assert scalar(book) == ("BASE_AND_SEASON", pytest.approx(slope / 2 + 0.01), 0, None, False, False)


def test_a_home_that_was_empty_for_a_quarter_has_the_mean_of_its_year(book: Book) -> None:
    book.segment(10)
    book.macro("2024-11-01", "2026-10-31", 10)
    reads(book, meter(book), 910, 910, 0)
    # No read a year ago: 1820 kWh over the profile's 2730.
    assert scalar(book) == ("OLDER_READS", pytest.approx(2 / 3), 0, None, False, False)


def test_the_year_of_a_quarterly_meter_is_four_quarters(book: Book) -> None:
    book.segment(10)
    book.macro("2024-11-01", "2026-10-31", 10)
    reads(book, meter(book), 1820, 0, 910, 910, 0)
    # Nothing now, nor in last year's season: 1820 kWh over the profile's 3640 since the read 364 days ago. The quarter before
    # that is a second summer.
    assert scalar(book) == ("OLDER_READS", pytest.approx(1 / 2), 0, None, False, False)


@pytest.mark.parametrize(("usage", "vacant"), [((910, 0, 0, 0, 0), True), ((0, 0, 0, 0), True), ((0, 0, 0), False)])
def test_vacant_is_a_whole_year_of_nothing(book: Book, usage: tuple[float, ...], vacant: bool) -> None:
    book.segment(10)
    book.macro("2024-11-01", "2026-10-31", 10)
    reads(book, meter(book), *usage)
    assert scalar(book)[1:] == (0, 0, None, vacant, False)


@pytest.mark.parametrize(("first", "vacant"), [("2025-09-02", True), ("2025-10-03", False)])
def test_an_interval_meter_is_vacant_after_a_whole_year_too(book: Book, first: str, vacant: bool) -> None:
    book.segment()
    book.macro("2024-11-01", "2026-10-31")
    site = book.account("A", opened="2024-01-01")
    book.billed("A", "2024-01-01", "2026-09-30", estimated=True)
    book.days(book.register(site), first, "2026-09-30", 0)
    # The gap begins on 1 October 2026; 364 days before it is 2 October 2025.
    assert scalar(book) == ("RECENT_DAYS", 0, 0, None, vacant, False)


# --- an interval meter's own shape ------------------------------------------------------------------------------


def shares(book: Book) -> dict[str, list[float]]:
    return {
        day_type: [float(share) for share in found]
        for day_type, found in book.ask("own_shapes", ["A"], columns="day_type, shares")
    }


def test_a_missing_day_has_the_meters_own_shape(book: Book) -> None:
    book.plan()
    book.segment()
    book.macro("2024-11-01", "2026-10-31")
    book.profile("2024-11-01", "2026-10-31", 0.1)
    register = book.register(book.account("A", opened="2025-11-01"))
    book.billed("A", "2025-11-01", "2026-09-30", estimated=True)
    # 300 Wh in half-hours 1 to 12, 100 Wh in the others: 3,600 + 3,600 Wh a day.
    book.days(register, "2026-08-01", "2026-10-29", 100)
    book.rows("update bua.utility_profile set half_hours = (select array_agg(case when h <= 12 then 300 else 100 end order by h)"
              " from generate_series(1, 48) h), day_total = 7200000")  # fmt: skip
    book.snapshot()
    book.call("bua_create_invoice_scalar", ["A"])
    weekday = [300 / 7200] * 12 + [100 / 7200] * 36
    assert shares(book) == {"WEEKDAY": pytest.approx(weekday), "WEEKEND": pytest.approx(weekday)}
    days = book.ask("generate_nem12_days", ["S-A"], columns="profile_date::text, half_hours", order="1")
    # Scalar 1.5 x 4.8 kWh: 0.3 and 0.1 kWh a half-hour, as read.
    assert [(day, [float(v) for v in values]) for day, values in days] == [
        (day, [0.3] * 12 + [0.1] * 36) for day in ("2026-10-30", "2026-10-31")
    ]


def test_thirteen_days_of_a_type_are_no_shape(book: Book) -> None:
    book.segment()
    book.macro("2024-11-01", "2026-10-31")
    register = book.register(book.account("A", opened="2025-11-01"))
    book.billed("A", "2025-11-01", "2026-09-30", estimated=True)
    # 12 August 2026 is a Wednesday: to 30 September 36 weekdays, and 14 weekend days; a day less and there are 13.
    book.days(register, "2026-08-12", "2026-09-30", 100)
    book.rows("delete from bua.utility_profile where profile_date = '2026-08-15'")
    book.snapshot()
    book.call("bua_create_invoice_scalar", ["A"])
    assert set(shares(book)) == {"WEEKDAY"}
