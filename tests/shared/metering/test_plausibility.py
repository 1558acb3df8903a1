"""Interval reads that cannot be. A home's limit is 34.5 kWh a half-hour and 276 a day, a business's 276 and 2,208."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from shared.metering.interval_store import DayReads, SiteDays, decode_items, encode_day
from shared.metering.plausibility import Limits, judge, without

FIRST = date(2026, 10, 1)
LIMITS = Limits(Decimal("34.5"), Decimal(276), Decimal(50_000), Decimal(8), Decimal(20))


def site(*days: list[int], quality: str = "1-48:A", scale: int = 3) -> SiteDays:
    return decode_items(
        encode_day(
            DayReads(nmi="6305017788", suffix="E1", day=FIRST + timedelta(days=n), interval_minutes=30, scale=scale,
                     values=values, quality_runs=quality, uom="KWH", file="f.csv", updated="2026-11-01T00:00:00")
        )
        for n, values in enumerate(days)
    )  # fmt: skip


def found(days: SiteDays, customer_class: str = "RES") -> list[tuple[int, list[int], str]]:
    return [
        (one.position, one.half_hours, one.reason) for one in judge(days, np.arange(len(days)), LIMITS, customer_class)
    ]


HOME = [250] * 48  # 12 kWh a day
SPIKE = [250] * 20 + [2_147_483_647] + [250] * 27  # an error code of meters: 2^31 - 1 Wh


@pytest.mark.parametrize("customer_class", ["RES", "BUS"])
def test_an_error_code_is_missing_and_its_day_keeps_the_others(customer_class):
    days = site(*[HOME] * 9, SPIKE, *[HOME] * 21)
    (one,) = judge(days, np.arange(31), LIMITS, customer_class)
    assert one[:4] == (9, [21], [Decimal("2147483.647")], "A")
    # 0.25 kWh is the usual peak: 20 times that is below the limit of either class.
    assert (one.value, one.limit) == (Decimal("2147483.647"), {"RES": Decimal("34.5"), "BUS": 276}[customer_class])
    mended = without(days, [one])
    assert mended.totals.tolist() == [12_000_000] * 9 + [11_750_000] + [12_000_000] * 21
    assert mended.half_hours[9].tolist() == [250] * 20 + [0] + [250] * 27
    assert mended.qualities[9] == "A" * 20 + "N" + "A" * 27
    assert (mended.missing[9], mended.excluded[9]) == (1 << 20, 1 << 20)
    assert (mended.missing[8], mended.qualities[8]) == (0, "A" * 48)
    assert days.totals[9] > 2 * 10**12  # what was read is not changed


def test_error_codes_in_half_of_a_day_leave_the_other_half():
    days = site(*[HOME] * 5, [250] * 24 + [99_999_999] * 24, *[HOME] * 5)
    assert found(days) == [(5, list(range(25, 49)), "HALF_HOURS")]


def test_an_error_code_on_one_in_four_days_is_no_habit_of_a_home():
    days = site(*[HOME, HOME, HOME, [65_535] + [250] * 47] * 10)
    assert found(days) == [(n, [1], "HALF_HOURS") for n in range(3, 40, 4)]


def test_a_day_in_the_wrong_unit_is_missing_as_a_whole():
    """200 kWh in most half-hours cannot be; 20 at night could, but are out of proportion like the others."""
    usual = [20] * 8 + [200] * 40
    days = site(*[usual] * 20, [1000 * value for value in usual])
    (one,) = judge(days, np.arange(21), LIMITS, "RES")
    assert (one.position, one.half_hours, one.reason) == (20, list(range(1, 49)), "DAY")
    assert (one.value, one.limit) == (8160, 276)
    assert without(days, [one]).totals[20] == 0


def test_a_frugal_homes_day_in_the_wrong_unit():
    """20 kWh in every half-hour: a supply could give that, but not 960 kWh a day to a home that uses one."""
    assert found(site(*[[20] * 48] * 20, [20_000] * 48)) == [(20, list(range(1, 49)), "DAY")]


def test_a_large_site_passes():
    large = [2_500_123_456 // 10] * 48  # 2,500.12345 kWh
    assert found(site(*[large] * 31, scale=5), "BUS") == []
    assert found(site(large, scale=5), "BUS") == []  # its first day


def test_a_business_with_a_short_season_passes():
    """A cotton gin: 50 days of 1,000 kWh a half-hour, and an office of 1 kWh for the rest of a year."""
    assert found(site(*[[1000] * 48] * 315, *[[1_000_000] * 48] * 50), "BUS") == []


def test_a_business_uses_more_for_an_hour_a_day():
    crusher = [5000] * 46 + [500_000] * 2
    assert found(site(*[crusher] * 10), "BUS") == []


def test_a_block_of_flats_that_counts_as_a_home_passes():
    assert found(site(*[[60_000] * 48] * 31)) == []


def test_a_large_businesses_error_is_far_from_its_own_use():
    usual = [100_000] * 48
    assert found(site(*[usual] * 20, [100_000] * 47 + [1_900_000]), "BUS") == []
    assert found(site(*[usual] * 20, [100_000] * 47 + [2_100_000]), "BUS") == [(20, [48], "HALF_HOURS")]


def test_above_a_hundred_megawatts_nothing_is_believed():
    assert found(site(*[[50_001] * 48] * 3, scale=0), "BUS") == [
        (n, list(range(1, 49)), "HALF_HOURS") for n in range(3)
    ]


def test_the_first_day_of_a_home_has_the_limit_of_its_class():
    assert found(site([250] * 47 + [34_500])) == []
    assert found(site([250] * 47 + [34_501])) == [(0, [48], "HALF_HOURS")]


def test_a_delivered_estimate_is_judged_and_no_witness():
    days = site(*[[90_000] * 48] * 5, quality="1-48:E57")
    assert found(days) == [(n, list(range(1, 49)), "HALF_HOURS") for n in range(5)]


def test_another_registers_days_are_no_witness():
    days = site(*[[40_000] * 48] * 5, [40_000] * 48)
    assert judge(days, np.array([0, 1, 2, 3, 4]), LIMITS, "RES") == []
    assert [one.position for one in judge(days, np.array([5]), LIMITS, "RES")] == [5]


def test_missing_half_hours_stay_missing():
    days = site([250] * 47 + [90_000], quality="1-1:N,2-48:A")
    (one,) = judge(days, np.arange(1), LIMITS, "RES")
    assert without(days, [one]).qualities == ["N" + "A" * 46 + "N"]


def test_no_days_no_finding():
    assert judge(site(HOME), np.array([], dtype=np.intp), LIMITS, "RES") == []
