"""What is believed, and the scalars, worked out by hand. The macro profile is 1 a day unless said otherwise."""

from datetime import date, timedelta

import numpy as np
import pytest
from tests.independent.believed import Span, believed_half_hours, rows_that_agree, spans_of, stepping
from tests.independent.folder import MISSING, READ, IndexRead, IntervalDays
from tests.independent.methods import (
    Estimate,
    History,
    distance,
    from_reads,
    latest_days,
    own_shape,
    recent_days,
)

FIRST = date(2025, 1, 1)
NO_GIANT = float("inf")


def history(*used: float, days: int = 91, macro: list[float] | None = None) -> History:
    """Spans of equal length, one after the other; macro is the profile's value on each day of each span."""
    spans = [
        Span(FIRST + timedelta(days * n), FIRST + timedelta(days * (n + 1)), amount) for n, amount in enumerate(used)
    ]
    return History(spans, np.repeat(macro or [1.0] * len(used), days), FIRST)


def found(book: History, fuel: str = "ELECTRICITY", of: str = "RES", giant_day: float = NO_GIANT) -> Estimate:
    estimate = from_reads(book, fuel, of, giant_day)
    assert estimate is not None
    return estimate


# -- own seasons -------------------------------------------------------------------------------------------------------

# Five spans of 91 days. The last read is day 455; 365 and 273 days before it are near the reads of day 91 and 182.
# So s4 is of the second span, s5 of the first.
YEAR = (182.0, 364.0, 91.0, 91.0, 273.0)  # scalars 2, 4, 1, 1, 3: own is 2


def test_a_business_takes_half_of_its_own_season() -> None:
    estimate = found(history(*YEAR), of="BUS")
    assert (estimate.method, estimate.scalar) == ("READS_SEASON", pytest.approx(3 * 2**0.5))


def test_a_home_keeps_its_last_reads() -> None:
    estimate = found(history(*YEAR))
    assert (estimate.method, estimate.scalar) == ("READS", pytest.approx(3))


def test_a_giant_takes_all_of_its_season_and_without_one_its_own_mean_day() -> None:
    estimate = found(history(*YEAR), giant_day=2.9)
    assert (estimate.method, estimate.scalar, estimate.giant) == ("READS_SEASON", pytest.approx(6), True)
    assert found(history(*YEAR[1:]), giant_day=2.9).giant is False  # the caller makes it a GIANT_DAILY_MEAN


def test_own_is_kept_within_a_third_and_three() -> None:
    assert found(history(10.0, *YEAR[1:]), of="BUS").scalar == pytest.approx(3 * 3**0.5)
    assert found(history(182.0, 10.0, *YEAR[2:]), of="BUS").scalar == pytest.approx(3 / 3**0.5)


def test_a_business_without_the_season_before_has_the_geometric_mean() -> None:
    estimate = found(history(*YEAR[1:]), of="BUS")
    assert (estimate.method, estimate.scalar) == ("READS_SEASON", pytest.approx((3 * 4) ** 0.5))


def test_a_read_more_than_45_days_away_is_not_near() -> None:
    # Three spans of 182 days: the last read is day 546, and no read is within 45 days of day 273, 273 days before it.
    estimate = found(history(182.0, 364.0, 546.0, days=182), of="BUS")
    assert (estimate.method, estimate.scalar) == ("READS", pytest.approx(3))


# -- nothing used ------------------------------------------------------------------------------------------------------


def test_a_quarter_without_use_has_last_years_season() -> None:
    estimate = found(history(182.0, 364.0, 91.0, 91.0, 0.0))
    assert (estimate.method, estimate.scalar) == ("READS_SEASON", pytest.approx(4))


def test_without_use_in_that_season_it_has_the_mean_of_the_year() -> None:
    # A year of quarterly reads is four spans; the first of the five ends 364 days before the last read.
    estimate = found(history(182.0, 0.0, 91.0, 273.0, 0.0))
    assert (estimate.method, estimate.scalar) == ("OLDER_READS", pytest.approx((91 + 273) / 364))


def test_a_year_without_use_is_vacant_and_less_is_zero_use() -> None:
    assert (found(history(91.0, 0, 0, 0, 0)).flag, found(history(91.0, 0, 0, 0, 0)).scalar) == ("VACANT", 0)
    assert (found(history(0, 0, 0)).flag, found(history(0, 0, 0)).scalar) == ("ZERO_USE", 0)


# -- gas ---------------------------------------------------------------------------------------------------------------


def test_gas_is_half_base_and_slope_and_half_own_season() -> None:
    """Volumes of 10, 20, 10, 30 and 20 a day; 4 MJ a day and 0.5 a unit of volume fit exactly: 9, 14, 9, 19, 14 a day."""
    volumes = [10.0, 20.0, 10.0, 30.0, 20.0]
    book = history(*(91 * (4 + 0.5 * v) for v in volumes), macro=volumes)
    estimate = found(book, "GAS")
    s1, s4, s5 = 14 / 20, 14 / 20, 9 / 10
    assert (estimate.method, estimate.base) == ("BASE_AND_SEASON", pytest.approx(2))
    assert estimate.scalar == pytest.approx((0.5 + s1 * (s4 / s5) ** 0.67) / 2)


def test_neither_base_nor_slope_is_below_zero() -> None:
    """Ever less is used the more the zone takes: no slope, and the base is the weighted mean, moved to the last span."""
    volumes = [10.0, 20.0, 30.0, 40.0]
    estimate = found(history(*(91 * u for u in (8.0, 6.0, 4.0, 2.0)), macro=volumes), "GAS")
    weights = [0.8**k / v for k, v in zip((4, 3, 2, 1), volumes, strict=True)]
    base = sum(w * u for w, u in zip(weights, (8, 6, 4, 2), strict=True)) / sum(weights)
    assert base > 4  # so that the move is the least, a half
    # A home without the season before (s5) keeps s1, 2 / 40.
    assert (estimate.base, estimate.scalar) == (pytest.approx(base / 2 / 2), pytest.approx(2 / 40 / 2))


def test_three_spans_are_too_few_to_fit() -> None:
    assert found(history(91.0, 182.0, 273.0), "GAS").method == "READS"


def test_the_fit_is_not_moved_to_a_span_without_use() -> None:
    volumes = [10.0, 20.0, 30.0, 20.0, 10.0]
    estimate = found(history(*(91 * u for u in (9.0, 14.0, 19.0, 14.0, 0.0)), macro=volumes), "GAS")
    # Weighted least squares by hand: sums of w x days^2 and so on, w = 0.8^k / volume, k from the last span.
    w = [0.8**k / v for k, v in zip((5, 4, 3, 2, 1), volumes, strict=True)]
    used = (9, 14, 19, 14, 0)
    n, x, xx = sum(w), sum(a * v for a, v in zip(w, volumes, strict=True)), 0.0
    xx = sum(a * v * v for a, v in zip(w, volumes, strict=True))
    y = sum(a * u for a, u in zip(w, used, strict=True))
    xy = sum(a * v * u for a, v, u in zip(w, volumes, used, strict=True))
    slope = (n * xy - x * y) / (n * xx - x * x)
    base = (y - slope * x) / n
    if base < 0:
        base, slope = 0.0, xy / xx
    assert (estimate.base, estimate.scalar) == (pytest.approx(base / 2), pytest.approx((slope + 14 / 20) / 2))


def test_gas_with_temperatures_follows_degree_days() -> None:
    """3 MJ a day and 2 a degree-day fit exactly: 13, 3, 9, 23, 5 a day; 4 degree-days a day after the last read."""
    volumes, cold = [10.0, 20.0, 10.0, 30.0, 20.0], [5.0, 0.0, 3.0, 10.0, 1.0]
    book = history(*(91 * (3 + 2 * c) for c in cold), macro=volumes)
    book.degrees = np.append(np.repeat(cold, 91), [4.0] * 30)
    estimate = found(book, "GAS")
    s1, s4, s5 = 5 / 20, 3 / 20, 13 / 10
    seasonal = s1 * max(s4 / s5, 1 / 3) ** 0.67
    assert (estimate.method, estimate.base) == ("DEGREE_DAYS", pytest.approx(0.6 * 3))
    assert (estimate.degree_slope, estimate.scalar) == (pytest.approx(0.6 * 2), pytest.approx(0.4 * seasonal))
    book.degrees[-1] = np.nan
    assert found(book, "GAS").method == "BASE_AND_SEASON"


# -- interval meters ---------------------------------------------------------------------------------------------------


def test_the_nearest_days_count_most() -> None:
    # The gap is day 20. Days 0 to 14 used 1, days 15 to 19 and 21 to 25 used 2.
    daily, complete = np.array([1.0] * 15 + [2.0] * 11), np.ones(26, dtype=bool)
    complete[20] = False
    estimate = recent_days(daily, complete, distance(26, 20, 20), np.ones(26))
    near, far = sum(0.5 ** (k / 5) for k in range(1, 6)), sum(0.5 ** (k / 5) for k in range(6, 21))
    assert estimate is not None
    assert estimate.scalar == pytest.approx((2 * near * 2 + far) / (2 * near + far))


def test_thirteen_days_are_too_few() -> None:
    daily, complete = np.ones(30), np.zeros(30, dtype=bool)
    complete[:13] = True
    away = distance(30, 20, 29)
    assert recent_days(daily, complete, away, np.ones(30)) is None
    assert latest_days(daily, complete, np.ones(30)) is None


def test_a_day_is_divided_as_the_meter_does_on_the_nearest_days_of_its_type() -> None:
    # Thirty weekdays: the two furthest have all in the first half-hour, the 28 nearest all in the last.
    kwh = np.zeros((31, 48))
    kwh[:2, 0] = kwh[2:, 47] = 1
    types, complete = np.array(["W"] * 31), np.ones(31, dtype=bool)
    complete[30] = False
    shape = own_shape(kwh, complete, distance(31, 30, 30), types, "W")
    assert shape is not None
    assert (shape[0], shape[47]) == (0, 1)
    assert own_shape(kwh, complete, distance(31, 30, 30), types, "E") is None


# -- which reads are believed ------------------------------------------------------------------------------------------


def reads(*indices: float, days: int = 91) -> list[IndexRead]:
    return [IndexRead(FIRST + timedelta(days * n), index, 1.0, actual=True) for n, index in enumerate(indices)]


def believed(*indices: float, digits: int | None = 5, days: int = 91) -> list[list[float]]:
    found = reads(*indices, days=days)
    rows = rows_that_agree(found, stepping(found, digits, 276.0))
    return [[read.index for read in row] for row in rows]


def test_a_fall_is_a_misread_unless_little_was_used_around_the_dial() -> None:
    assert believed(5900, 6810, 6790) == [[5900, 6790]]
    assert believed(98000, 99500, 700) == [[98000, 99500, 700]]  # 1,200 went around
    assert believed(98000, 99500, 700, digits=None) == [[98000, 99500]]


def test_a_roll_over_has_its_units() -> None:
    found = reads(99500, 700)
    assert [span.used for span in spans_of(found, stepping(found, 5, 276.0))] == [1200]


def test_a_step_is_limited_by_the_registers_own_mean_day() -> None:
    # 91 units a quarter: ten times that is 10 a day, but half of what a home can use in a day, 138, is allowed.
    assert believed(0, 91, 182, 182 + 91 * 137, 20000) == [[0, 91, 182, 12649, 20000]]
    assert believed(0, 91, 182, 182 + 91 * 139, 364) == [[0, 91, 182, 364]]


def test_a_short_span_counts_as_fourteen_days() -> None:
    assert believed(0, 1900, 1900, 1900, days=1) == [[0, 1900, 1900, 1900]]  # 1,900 in 14 days: 136 a day


def test_an_index_that_began_anew_has_two_rows() -> None:
    assert believed(50000, 51000, 52000, 100, 900) == [[50000, 51000, 52000], [100, 900]]
    assert believed(50000, 51000, 52000, 100) == [[50000, 51000, 52000]]


@pytest.mark.parametrize(("of", "taken"), [("RES", 1), ("BUS", 0)])
def test_a_half_hour_out_of_proportion_is_missing_and_the_rest_of_the_day_stays(of: str, taken: int) -> None:
    kwh = np.full((30, 48), 0.5)
    kwh[7, 3] = 200.0  # above 34.5, and above 20 x 0.5; below the 276 of a business
    data = IntervalDays(kwh, np.full((30, 48), READ, dtype=np.int8))
    after = believed_half_hours(data, np.ones(30, dtype=bool), of)
    assert int((after.worth == MISSING).sum()) == taken
    assert after.worth[7, 3] == (MISSING if taken else READ)


def test_a_day_in_a_wrong_unit_is_missing_as_a_whole() -> None:
    kwh = np.full((30, 48), 0.5)
    kwh[7] = 500.0
    kwh[7, :24] = 30.0  # below the limit of a half-hour, but 60 times the usual
    data = IntervalDays(kwh, np.full((30, 48), READ, dtype=np.int8))
    after = believed_half_hours(data, np.ones(30, dtype=bool), "RES")
    assert (after.worth[7] == MISSING).all()
    assert int((after.worth == MISSING).sum()) == 48


def test_a_large_home_is_believed() -> None:
    data = IntervalDays(np.full((30, 48), 60.0), np.full((30, 48), READ, dtype=np.int8))
    assert (believed_half_hours(data, np.ones(30, dtype=bool), "RES").worth == READ).all()
