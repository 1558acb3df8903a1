"""Interval reads to billable quantities. Every half-hour of the made-up days is a round number, so that sums are counts."""

from decimal import Decimal
from typing import Any

import pytest

KNOWN = "A" * 48
NIGHT = (("OFFPEAK", "ALL", 0, 7), ("PEAK", "WEEKDAY", 14, 20), ("SHOULDER", "WEEKEND", 7, 24))
ALL_CLASSES = tuple(("USAGE", name, "0.3") for name in ("ANYTIME", "PEAK", "SHOULDER", "OFFPEAK"))


def only(half_hour: int, value: int = 1) -> list[int]:
    """A day that is empty but for one half-hour, counted from 1."""
    return [value if h == half_hour else 0 for h in range(1, 49)]


def home(platform: Any, jurisdiction: str = "NSW", items: Any = ALL_CLASSES, windows: Any = NIGHT) -> int:
    platform.plan("TOU", *items, windows=windows)
    platform.site("4103000001", jurisdiction)
    platform.account("1", "4103000001", "TOU")
    platform.stage()
    return platform.register("4103000001")


def test_winter_day_in_sydney_is_the_market_day(platform: Any) -> None:
    register = home(platform)
    platform.day("4103000001", "2026-07-15", [1] * 48)  # a Wednesday: 7 h night, 6 h peak, 11 h of neither
    platform.aggregate()
    assert platform.aggregated(register) == {
        ("2026-07-15", "OFFPEAK", "ACTUAL"): 14,
        ("2026-07-15", "PEAK", "ACTUAL"): 12,
        ("2026-07-15", "ANYTIME", "ACTUAL"): 22,
    }


def test_summer_bill_day_runs_from_23_to_23_market_time(platform: Any) -> None:
    register = home(platform)
    platform.day("4103000001", "2026-01-13", only(46, 100))  # 22:30 market is 23:30 of the same day
    platform.day("4103000001", "2026-01-14", only(47, 10))  # 23:00 market is midnight of the 15th
    platform.day("4103000001", "2026-01-15", only(28, 7))  # 13:30 market is 14:30: peak
    platform.aggregate()
    rows = {key: value for key, value in platform.aggregated(register).items() if value}
    assert rows == {
        ("2026-01-13", "ANYTIME", "ACTUAL"): 100,
        ("2026-01-15", "OFFPEAK", "ACTUAL"): 10,
        ("2026-01-15", "PEAK", "ACTUAL"): 7,
    }


@pytest.mark.parametrize(
    ("market_days", "night", "whole_day"),
    [
        # Clocks go from 02:00 to 03:00, so the night has two half-hours less. The 4th is 00:00 to 23:00 market time.
        (("2026-10-03", "2026-10-04", "2026-10-05"), 12, 46),
        # Clocks go from 03:00 back to 02:00, so it has two more. The 5th began at 23:00 market time on the 4th.
        (("2026-04-04", "2026-04-05", "2026-04-06"), 16, 50),
    ],
)
def test_clock_changes(platform: Any, market_days: tuple[str, str, str], night: int, whole_day: int) -> None:
    register = home(platform)
    for market_date in market_days:
        platform.day("4103000001", market_date, [1] * 48)
    platform.aggregate()
    rows = platform.aggregated(register)
    sunday = market_days[1]
    assert rows[sunday, "OFFPEAK", "ACTUAL"] == night
    assert rows[sunday, "SHOULDER", "ACTUAL"] == 34  # 07:00 to 24:00, whatever the clocks did
    assert sum(value for (day, _, _), value in rows.items() if day == sunday) == whole_day
    assert sum(rows.values()) == 3 * 48


def test_public_holiday_counts_as_weekend(platform: Any) -> None:
    register = home(platform)
    platform.execute("insert into core.public_holiday values ('NSW', '2026-06-08'), ('VIC', '2026-06-09')")
    platform.day("4103000001", "2026-06-08", [1] * 48)  # Monday, King's Birthday
    platform.day("4103000001", "2026-06-09", [1] * 48)  # Tuesday, a holiday elsewhere
    platform.aggregate()
    rows = platform.aggregated(register)
    assert rows["2026-06-08", "SHOULDER", "ACTUAL"] == 34
    assert ("2026-06-08", "PEAK", "ACTUAL") not in rows
    assert rows["2026-06-09", "PEAK", "ACTUAL"] == 12


@pytest.mark.parametrize(
    ("jurisdiction", "market_date", "half_hour", "local_day"),
    [
        ("WA", "2026-01-15", 1, "2026-01-15"),  # market time is UTC+8 there, and so is the clock all year
        ("WA", "2026-01-15", 48, "2026-01-15"),
        ("QLD", "2026-01-15", 48, "2026-01-15"),  # no daylight saving
        ("SA", "2026-07-15", 1, "2026-07-14"),  # UTC+9:30 in winter: 00:00 market is 23:30 of the day before
        ("SA", "2026-07-15", 2, "2026-07-15"),
        ("SA", "2026-01-15", 47, "2026-01-15"),  # UTC+10:30 in summer
        ("SA", "2026-01-15", 48, "2026-01-16"),
        ("NSW", "2028-02-29", 46, "2028-02-29"),
        ("NSW", "2028-02-29", 47, "2028-03-01"),
        ("VIC", "2026-12-31", 47, "2027-01-01"),
        ("TAS", "2026-12-31", 46, "2026-12-31"),
    ],
)
def test_local_day(platform: Any, jurisdiction: str, market_date: str, half_hour: int, local_day: str) -> None:
    register = home(platform, jurisdiction, windows=())
    platform.day("4103000001", market_date, only(half_hour))
    platform.aggregate()
    assert [day for (day, _, _), value in platform.aggregated(register).items() if value] == [local_day]


def test_qualities_say_what_is_actual(platform: Any) -> None:
    register = home(platform, windows=())
    values = [1] * 12 + [10] * 12 + [100] * 12 + [1000] * 12
    platform.day("4103000001", "2026-07-15", values, "A" * 12 + "SF" * 6 + "E" * 12 + "N" * 12)
    platform.aggregate()
    assert platform.aggregated(register) == {
        ("2026-07-15", "ANYTIME", "ACTUAL"): 12 + 120,
        ("2026-07-15", "ANYTIME", "ESTIMATED"): 1200,
    }


def test_a_day_of_zeros_is_known_and_a_missing_one_is_not(platform: Any) -> None:
    register = home(platform, windows=())
    platform.day("4103000001", "2026-07-15", [0] * 48)
    platform.day("4103000001", "2026-07-16", [0] * 48, "N" * 48)
    platform.aggregate()
    assert platform.aggregated(register) == {("2026-07-15", "ANYTIME", "ACTUAL"): 0}


def test_quantities_are_exact_whatever_the_scale(platform: Any) -> None:
    register = home(platform, windows=())
    platform.day("4103000001", "2026-01-14", only(48, 123456789), scale=6)  # belongs to the 15th: 123.456789
    platform.day("4103000001", "2026-01-15", only(1, 2100000000), scale=1)  # 210,000,000 kWh
    platform.aggregate()
    assert platform.aggregated(register)["2026-01-15", "ANYTIME", "ACTUAL"] == Decimal("210000123.456789")


def test_an_import_has_the_files_half_hours_beside_the_platforms_and_replaces_its_own(platform: Any) -> None:
    register = home(platform, windows=())
    platform.day("4103000001", "2026-07-15", [1] * 48, "A" * 40 + "N" * 8)
    platform.aggregate()
    for value in (5, 3):
        platform.stage()
        platform.day("4103000001", "2026-07-15", [1] * 40 + [value] * 8, "A" * 40 + "E" * 8)
        platform.aggregate("BUA", "2026-11-01")
    assert platform.execute("select read_state, quantity, origin from core.aggregated_read order by 3, 1") == [
        ("ACTUAL", 40, "BUA"),
        ("ESTIMATED", 24, "BUA"),
        ("ACTUAL", 40, "PLATFORM"),
    ]
    assert register


def test_loading_twice_leaves_the_same_rows(platform: Any) -> None:
    register = home(platform)
    results = []
    for _ in range(2):
        platform.stage()
        for market_date in ("2026-10-02", "2026-10-03", "2026-10-04"):
            platform.day("4103000001", market_date, list(range(48)))
        platform.aggregate()
        results.append(platform.aggregated(register))
    assert results[0] == results[1]
    assert sum(results[0].values()) == 3 * 47 * 24


def test_a_class_that_the_plan_does_not_price_on_the_day_is_anytime(platform: Any) -> None:
    register = home(
        platform,
        items=(
            ("USAGE", "ANYTIME", "0.3"),
            ("USAGE", "PEAK", "0.4", {"valid_from": "2026-07-16"}),
            ("CONTROL", "OFFPEAK", "0.1"),
        ),
    )
    controlled = platform.register("4103000001", "E2", "CONTROL")
    for market_date in ("2026-07-15", "2026-07-16"):
        platform.day("4103000001", market_date, [1] * 48)
        platform.day("4103000001", market_date, [1] * 48, suffix="E2")
    platform.aggregate()
    assert platform.aggregated(register) == {
        ("2026-07-15", "ANYTIME", "ACTUAL"): 48,
        ("2026-07-16", "ANYTIME", "ACTUAL"): 36,
        ("2026-07-16", "PEAK", "ACTUAL"): 12,
    }
    assert platform.aggregated(controlled)["2026-07-15", "OFFPEAK", "ACTUAL"] == 14
    assert platform.aggregated(controlled)["2026-07-15", "ANYTIME", "ACTUAL"] == 34


def test_each_local_day_has_the_plan_of_its_occupant(platform: Any) -> None:
    platform.plan("FLAT", ("USAGE", "ANYTIME", "0.3"))
    platform.plan("TOU", *ALL_CLASSES, windows=NIGHT)
    platform.site("4103000001")
    platform.account("1", "4103000001", "FLAT", last="2026-01-14")
    platform.account("2", "4103000001", "TOU", first="2026-01-15", last="2026-01-15")
    register = platform.register("4103000001")
    platform.stage()
    for market_date in ("2026-01-14", "2026-01-15", "2026-01-16"):
        platform.day("4103000001", market_date, [1] * 48)
    platform.aggregate()
    assert platform.aggregated(register) == {
        ("2026-01-14", "ANYTIME", "ACTUAL"): 46,  # its first hour is on the market day before, which was not loaded
        ("2026-01-15", "OFFPEAK", "ACTUAL"): 14,
        ("2026-01-15", "PEAK", "ACTUAL"): 12,
        ("2026-01-15", "ANYTIME", "ACTUAL"): 22,
    }


def test_a_meter_swap_carries_the_stream_on(platform: Any) -> None:
    platform.plan("FLAT", ("USAGE", "ANYTIME", "0.3"))
    platform.site("4103000001")
    platform.account("1", "4103000001", "FLAT")
    old = platform.register("4103000001", last="2026-01-14")
    new = platform.register("4103000001", first="2026-01-15")
    platform.stage()
    platform.day("4103000001", "2026-01-14", [1] * 48)
    platform.day("4103000001", "2026-01-15", [1] * 48)
    platform.aggregate()
    assert platform.aggregated(old) == {
        ("2026-01-14", "ANYTIME", "ACTUAL"): 46,
        ("2026-01-15", "ANYTIME", "ACTUAL"): 2,  # the old meter's last hour is on the new one's first bill day
    }
    assert platform.aggregated(new)["2026-01-15", "ANYTIME", "ACTUAL"] == 46


def test_reads_outside_the_streams_life_are_not_billable(platform: Any) -> None:
    platform.plan("FLAT", ("USAGE", "ANYTIME", "0.3"))
    platform.site("4103000001")
    platform.account("1", "4103000001", "FLAT", first="2026-01-10")
    register = platform.register("4103000001", first="2026-01-15")  # a basic meter until then
    platform.stage()
    for market_date in ("2026-01-13", "2026-01-14", "2026-01-15"):
        platform.day("4103000001", market_date, [1] * 48)
        platform.day("4103000001", market_date, [1] * 48, suffix="Q1")  # reactive: no register
    platform.aggregate()
    assert platform.aggregated(register) == {
        ("2026-01-15", "ANYTIME", "ACTUAL"): 46,
        ("2026-01-16", "ANYTIME", "ACTUAL"): 2,
    }


def test_the_first_hour_of_a_new_site_is_on_the_market_day_before(platform: Any) -> None:
    platform.plan("FLAT", ("USAGE", "ANYTIME", "0.3"))
    platform.site("4103000001")
    platform.account("1", "4103000001", "FLAT", first="2026-01-15")
    register = platform.register("4103000001", first="2026-01-15")
    platform.stage()
    platform.day("4103000001", "2026-01-14", [0] * 46 + [1, 1])
    platform.day("4103000001", "2026-01-15", [1] * 48)
    platform.aggregate()
    assert platform.aggregated(register)["2026-01-15", "ANYTIME", "ACTUAL"] == 48


def test_staging_refuses_a_day_that_makes_no_sense(platform: Any) -> None:
    home(platform)
    with pytest.raises(Exception, match="interval_day_qualities_check"):
        platform.day("4103000001", "2026-07-15", [1] * 48, "A" * 47)


def test_staging_refuses_a_day_twice(platform: Any) -> None:
    home(platform)
    platform.day("4103000001", "2026-07-15", [1] * 48)
    with pytest.raises(Exception, match="interval_day_pkey"):
        platform.day("4103000001", "2026-07-15", [1] * 48)
