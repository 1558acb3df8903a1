"""The second opinion itself, on portfolios small enough to be worked out by hand. Run date 2026-11-01 throughout."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tests.independent.accrual import Reading, Result
from tests.independent.folder import ESTIMATED, MISSING, READ, parse_nem12
from tests.independent.mini import Mini, span
from tests.independent.profiles import fill, outliers

RUN_DATE = date(2026, 11, 1)
BRISBANE = {"state": "QLD"}  # local time is market time: no daylight saving


@pytest.fixture
def mini(tmp_path: Path) -> Mini:
    made = Mini(tmp_path / "portfolio")
    made.price("FLAT", "DAILY", "1.00")
    made.price("FLAT", "USAGE", "0.30")
    return made


def read(mini: Mini) -> dict[str, Result]:
    return Reading(mini.write(), RUN_DATE).results


def panel(mini: Mini, keys: str = "123456", last: str = "2026-10-31") -> None:
    """Interval homes named 1, 2, ...: home n uses n x 0.1 kWh each half-hour; billed up to 21 October."""
    for key in keys:
        mini.account(key, **BRISBANE)
        mini.interval(key)
        mini.bill(key, "2026-01-01", "2026-10-21", "2026-10-25")
        mini.days(key, span("2026-01-01", last if key == keys[-1] else "2026-10-31"), int(key) / 10)


def unbilled(result: Result, reading: Reading) -> list[date]:
    return [reading.folder.date(i) for i in np.flatnonzero(result.unbilled)]


# -- unbilled days -----------------------------------------------------------------------------------------------------


def test_a_reversed_bill_leaves_a_hole_and_a_bill_not_yet_issued_covers_nothing(mini: Mini) -> None:
    mini.account("A", opened="2026-09-01")
    mini.bill("A", "2026-09-01", "2026-09-10", "2026-09-12")
    mini.bill("A", "2026-09-11", "2026-09-20", "2026-09-22", "reversed")
    mini.bill("A", "2026-09-21", "2026-10-20", "2026-10-22")
    mini.bill("A", "2026-10-21", "2026-10-31", "2026-11-01")
    reading = Reading(mini.write(), RUN_DATE)
    expected = span("2026-09-11", "2026-09-20") + span("2026-10-21", "2026-10-31")
    assert unbilled(reading.results["A"], reading) == expected


def test_supply_ends_with_the_close_date_and_the_period_starts_a_year_back(mini: Mini) -> None:
    mini.account("A", opened="2025-10-01", closed="2025-11-05")
    mini.account("B", opened="2025-01-01", closed="2025-10-31")
    reading = Reading(mini.write(), RUN_DATE)
    assert unbilled(reading.results["A"], reading) == span("2025-11-01", "2025-11-05")
    assert "B" not in reading.results


# -- interval registers ------------------------------------------------------------------------------------------------


def test_complete_interval_account_is_its_reads_and_its_price(mini: Mini) -> None:
    panel(mini)
    result = read(mini)["1"]
    assert result.complete
    assert result.units("ACTUAL") == pytest.approx(10 * 48 * 0.1)
    assert result.net == Decimal("24.40")  # 10 days x 1.00 + 48 kWh x 0.30
    assert result.gst == Decimal("2.44")


def test_two_missing_days_are_scalar_times_the_profile_of_those_who_read(mini: Mini) -> None:
    panel(mini, last="2026-10-29")
    result = read(mini)["6"]
    # reference days: 0.6 over the average of 0.1 ... 0.6 = 0.35; missing days: 96 half-hours x the five's 1.5 over their
    # weights, 1.5 / 0.35, which is 0.35 again
    assert result.scalars == {"M6/E1": pytest.approx(0.6 / 0.35)}
    assert result.units("ESTIMATED") == pytest.approx(96 * 0.6)  # 57.6 kWh
    assert result.units("ACTUAL") == pytest.approx(8 * 48 * 0.6)
    assert result.net == Decimal("10.00") + Decimal("69.12") + Decimal("17.28")
    assert (result.basis, result.uses_marked) == ("PROFILE", False)


def test_an_early_hole_does_not_move_the_window_of_a_late_gap(mini: Mini) -> None:
    panel(mini, last="2026-06-30")
    mini.rows["invoices"] = mini.rows["invoices"][:-1]  # home 6 was never billed
    mini.days("6", span("2026-07-02", "2026-10-29"), 1.2)
    result = read(mini)["6"]
    # The five others use 1.5 together on all of 304 days, home 6 0.6 on 181 and 1.2 on 120 of them; three it lacks.
    mean = (1.5 + (181 * 0.6 + 120 * 1.2) / 301) / 6
    five, sixth = 1.5 / mean, (181 * 0.6 + 120 * 1.2) / 301 / mean
    for _ in range(2):
        before, after, without = 2.1 / (five + sixth), 2.7 / (five + sixth), 1.5 / five
        known = 181 * before + 120 * after
        five, sixth = 304 * 1.5 / (known + 3 * without), (181 * 0.6 + 120 * 1.2) / known
    before, after, without = 2.1 / (five + sixth), 2.7 / (five + sixth), 1.5 / five
    # 1 July lies between days of 0.6 and days of 1.2, which count alike; 30 and 31 October follow days of 1.2.
    hole = 48 * without * (0.6 + 1.2) / (before + after)
    assert result.units("ESTIMATED") == pytest.approx(hole + 96 * without * 1.2 / after)
    assert result.scalars == {"M6/E1": pytest.approx(1.2 / after)}


def test_a_segment_of_four_sites_is_marked(mini: Mini) -> None:
    panel(mini, "12345", last="2026-10-29")  # four of the five read on the last two days
    assert read(mini)["5"].uses_marked


def test_only_the_missing_half_hours_of_a_day_are_estimated(mini: Mini) -> None:
    panel(mini, last="2026-10-30")
    mini.days("6", span("2026-10-31", "2026-10-31"), 1.0)
    mini.nem12[-1] = mini.nem12[-1].replace(",A,", ",V,")
    mini.nem12 += ["400,1,46,A,,", "400,47,48,N,,"]
    result = read(mini)["6"]
    assert result.units("ACTUAL") == pytest.approx(9 * 48 * 0.6 + 46 * 1.0)
    # Scalar 0.6 / 0.35. The profile's day is 46 half-hours of (1.5 + 1.0) / 6, the sum of the weights, and 2 of
    # 1.5 / (1.5 / 0.35). The home's own Saturdays and Sundays are flat: the two half-hours are 2 / 48 of the day.
    assert result.units("ESTIMATED") == pytest.approx(0.6 / 0.35 * (46 * 2.5 / 6 + 2 * 0.35) * 2 / 48)


def test_a_delivered_estimate_is_read_but_not_actual(mini: Mini) -> None:
    panel(mini, last="2026-10-30")
    mini.days("6", span("2026-10-31", "2026-10-31"), 0.5, "E52")
    result = read(mini)["6"]
    assert result.basis == "DELIVERED_E"
    assert result.units("ESTIMATED") == pytest.approx(24)


def test_a_vacant_site_stays_at_zero(mini: Mini) -> None:
    panel(mini)
    mini.account("V", **BRISBANE)
    mini.interval("V")
    mini.bill("V", "2026-01-01", "2026-10-21", "2026-10-25")
    mini.days("V", span("2026-01-01", "2026-10-28"), 0)
    result = read(mini)["V"]
    assert result.scalars == {"M" + "V/E1": 0}
    assert result.units("ACTUAL", "ESTIMATED") == 0


def test_a_giant_is_kept_out_of_the_average_and_keeps_its_own_mean(mini: Mini) -> None:
    panel(mini)
    mini.account("G", **BRISBANE)
    mini.interval("G")
    mini.bill("G", "2026-01-01", "2026-10-21", "2026-10-25")
    mini.days("G", span("2026-01-01", "2026-10-30"), 100.0)  # median of the seven homes is 0.4: over 20 times
    reading = Reading(mini.write(), RUN_DATE)
    profile = reading.profiles["QLD", "RES", "PRIMARY"]
    assert profile.average[reading.folder.index(date(2026, 6, 1))] == pytest.approx(np.full(48, 0.35))
    assert reading.results["G"].units("ESTIMATED") == pytest.approx(4800)


def test_outliers_are_judged_against_fourteen_other_days() -> None:
    average = np.ones((20, 48))
    average[10, 5], average[12, 5], average[3, 7] = 3.01, 0.33, 2.99
    assert np.argwhere(outliers(average)).tolist() == [[10, 5], [12, 5]]


def test_a_marked_entry_is_filled_from_the_nearest_day_of_its_type(mini: Mini) -> None:
    reading = Reading(mini.write(), RUN_DATE)
    average = np.repeat(np.arange(reading.folder.days, dtype=float)[:, None], 48, axis=1)
    marked = np.zeros_like(average, dtype=bool)
    saturday = reading.folder.index(date(2026, 6, 13))
    marked[saturday, 3] = marked[saturday + 1, 3] = True
    filled = fill(average, marked, reading.folder.day_types("QLD"))
    assert filled[saturday, 3] == saturday - 6  # both Sundays are six and eight days off: the one before is nearer
    assert filled[saturday + 1, 3] == saturday + 7  # the Saturday after
    assert (filled[~marked] == average[~marked]).all()


def test_move_in_sees_only_its_own_days(mini: Mini) -> None:
    panel(mini)
    mini.account("OLD", site="S", closed="2026-09-30", **BRISBANE)
    mini.account("NEW", site="S", opened="2026-10-01", **BRISBANE)
    mini.bill("OLD", "2026-01-01", "2026-09-30", "2026-10-03")
    mini.interval("S")
    mini.days("S", span("2026-01-01", "2026-09-30"), 0.9)
    mini.days("S", span("2026-10-01", "2026-10-30"), 0.1)
    results = read(mini)
    assert set(results) == {"1", "2", "3", "4", "5", "6", "NEW"}
    average = (0.1 + 0.2 + 0.3 + 0.4 + 0.5 + 0.6 + 0.1) / 7
    assert results["NEW"].scalars == {"MS/E1": pytest.approx(0.1 / average)}


# -- basic registers ---------------------------------------------------------------------------------------------------


def basic_account(mini: Mini, *reads: tuple[str, float], digits: str = "", billed_to: str = "2026-10-11") -> Result:
    panel(mini)
    mini.account("B", **BRISBANE)
    mini.basic("B", digits)
    mini.bill("B", "2026-01-01", billed_to, "2026-10-15")
    for day, index in reads:
        mini.read("B", day, index)
    return read(mini)["B"]


def test_basic_account_is_scalar_times_macro(mini: Mini) -> None:
    # 90 days x 48 half-hours x 0.35 = 1512 kWh of macro; 756 kWh read: scalar 0.5; 20 unbilled days x 16.8 x 0.5
    result = basic_account(mini, ("2026-07-14", 1000), ("2026-10-12", 1756))
    assert result.scalars == {"MB/11": pytest.approx(0.5)}
    assert (result.units("ACTUAL"), result.units("ESTIMATED")) == (0, pytest.approx(168))
    assert result.net == Decimal("70.40")


def test_reference_window_is_the_latest_read_at_least_sixty_days_back(mini: Mini) -> None:
    reads = [("2026-07-01", 0), ("2026-08-13", 9000), ("2026-08-20", 9100), ("2026-10-12", 9940)]
    result = basic_account(mini, *reads)
    # 13 August is 60 days before 12 October: 940 kWh over 60 x 16.8
    assert result.scalars == {"MB/11": pytest.approx(940 / (60 * 16.8))}


def test_an_index_rolls_over_by_its_digits(mini: Mini) -> None:
    result = basic_account(mini, ("2026-07-14", 99500), ("2026-10-12", 256), digits="5")
    assert result.scalars == {"MB/11": pytest.approx(0.5)}


def test_a_read_inside_the_window_splits_it_and_shares_by_macro(mini: Mini) -> None:
    # 20 days from 2 to 21 October hold 200 kWh, half of them billed; the profile is flat, so 100 are unbilled
    result = basic_account(mini, ("2026-07-14", 1000), ("2026-10-02", 2000), ("2026-10-22", 2200))
    assert result.units("ACTUAL") == pytest.approx(100)
    assert result.scalars == {"MB/11": pytest.approx(1200 / (100 * 16.8))}
    assert result.units("ESTIMATED") == pytest.approx(10 * 16.8 * 1200 / (100 * 16.8))
    assert "SHARED" in result.basis


def test_a_window_closed_by_actual_reads_is_complete(mini: Mini) -> None:
    result = basic_account(mini, ("2026-07-14", 0), ("2026-10-12", 900), ("2026-11-01", 1000.5))
    assert result.complete
    assert result.units("ACTUAL") == pytest.approx(100.5)
    assert result.net == Decimal("20.00") + Decimal("30.15")


def test_without_reads_it_has_what_was_billed_where_the_profile_is_known(mini: Mini) -> None:
    panel(mini)
    mini.account("N", opened="2025-06-01", **BRISBANE)
    mini.interval("N")
    for first, last, kwh, kind in (
        ("2025-06-01", "2025-11-09", 99_999, ""),  # the profile begins later
        ("2025-11-10", "2026-01-31", 99_999, "estimated"),
        ("2026-02-01", "2026-02-28", 28 * 8.4, ""),
        ("2026-03-01", "2026-10-21", 235 * 8.4, ""),
    ):
        bill = mini.bill("N", first, last, last, kind)
        mini.add("invoice_lines", bill, "USAGE", "PRIMARY", "ANYTIME", kwh, 0)
    result = read(mini)["N"]
    # 8.4 kWh a day is half of the segment's 16.8.
    assert (result.methods, result.scalars) == ({"INVOICES"}, {"MN/E1": pytest.approx(0.5)})


def test_a_day_that_no_profile_covers_has_the_mean_of_the_days_that_are_known(mini: Mini) -> None:
    """A segment of one home, 0.4 kWh a half-hour until 29 October: nothing fills the last two days."""
    mini.account("A", **BRISBANE)
    mini.interval("A")
    mini.bill("A", "2026-01-01", "2026-10-21", "2026-10-25")
    mini.days("A", span("2026-06-01", "2026-10-29"), 0.4)
    result = read(mini)["A"]
    assert result.methods == {"RECENT_DAYS"}
    assert result.units("ESTIMATED") == pytest.approx(96 * 0.4)


@pytest.mark.parametrize("reads", [[("2026-07-14", 0), ("2026-10-22", 840)], [("2026-09-22", 0), ("2026-10-22", 252)]])
def test_an_interval_meter_without_reads_has_the_basic_meters_before_it(
    mini: Mini, reads: list[tuple[str, float]]
) -> None:
    panel(mini)
    mini.account("B", **BRISBANE)
    mini.bill("B", "2026-01-01", "2026-10-21", "2026-10-25", "estimated")
    mini.add("registers", "B", "MB", "11", "11", "PRIMARY", "BASIC", "KWH", "", "2020-01-01", "2026-10-21")
    mini.add("registers", "B", "NEW", "E1", "E1", "PRIMARY", "INTERVAL", "KWH", "", "2026-10-22", "")
    for day, index in reads:
        mini.read("B", day, index)
    result = read(mini)["B"]
    # 8.4 kWh a day, over 100 or 30 days, is half of the segment's 16.8.
    assert result.methods == {"OTHER_METER"}
    assert result.units("ESTIMATED") == pytest.approx(10 * 8.4)


def test_gas_scales_by_its_zone(mini: Mini) -> None:
    mini.account("G", opened="2026-06-01", fuel="GAS", node="Z9")
    mini.basic("G")
    mini.bill("G", "2026-06-01", "2026-09-30", "2026-10-02")
    mini.read("G", "2026-07-03", 100, factor=39)
    mini.read("G", "2026-10-01", 200, factor=39)
    for day in span("2026-06-01", "2026-10-31"):
        mini.add("gas_volumes", "NSW", "Z9", day, 500 if day < date(2026, 10, 1) else 250)
    result = read(mini)["G"]
    assert result.units("ESTIMATED") == pytest.approx(31 * 250 * (3900 / (90 * 500)))


# -- rating ------------------------------------------------------------------------------------------------------------


def test_time_of_use_follows_the_local_clock_over_the_spring_change(mini: Mini) -> None:
    """Sydney, 4 October 2026: local midnight to 2:00 then 3:00 to midnight, 46 half-hours."""
    mini.price("TOU", "USAGE", "0.50", time_class="PEAK")
    mini.price("TOU", "USAGE", "0.20", time_class="OFFPEAK")
    mini.add("time_classes", "TOU", "PEAK", "ALL", "07:00", "22:00")
    mini.add("time_classes", "TOU", "OFFPEAK", "ALL", "22:00", "24:00")
    mini.add("time_classes", "TOU", "OFFPEAK", "ALL", "00:00", "07:00")
    mini.account("T", opened="2026-10-03", closed="2026-10-05", plan="TOU")
    mini.interval("T")
    mini.days("T", span("2026-10-01", "2026-10-04"), 0.5)
    mini.days("T", span("2026-10-05", "2026-10-31"), [0.5] * 46 + [100, 100])  # 23:00 market is midnight in Sydney
    result = read(mini)["T"]
    by_class = {name: by_day.sum() for (_, name, _), by_day in result.quantities.items()}
    # three days of 30 peak half-hours; off peak 18 + 16 + 18
    assert by_class == {"PEAK": pytest.approx(45), "OFFPEAK": pytest.approx(26)}
    assert result.net == Decimal("22.50") + Decimal("5.20")


def test_the_autumn_day_has_fifty_half_hours(mini: Mini) -> None:
    mini.account("T", opened="2026-04-05", closed="2026-04-05")
    mini.interval("T")
    mini.days("T", span("2026-04-04", "2026-04-06"), 1.0)
    assert read(mini)["T"].units("ACTUAL") == pytest.approx(50)


def test_holidays_count_as_weekend_and_an_unpriced_class_is_anytime(mini: Mini) -> None:
    mini.price("TOU", "USAGE", "0.50", time_class="PEAK")
    mini.price("TOU", "USAGE", "0.20", time_class="ANYTIME")
    mini.add("time_classes", "TOU", "PEAK", "WEEKDAY", "12:00", "18:00")
    mini.add("time_classes", "TOU", "SHOULDER", "ALL", "06:00", "12:00")
    mini.add("public_holidays", "QLD", "2026-10-05")
    mini.account("T", opened="2026-10-02", closed="2026-10-05", plan="TOU", **BRISBANE)  # Friday to a holiday Monday
    mini.interval("T")
    mini.days("T", span("2026-10-01", "2026-10-31"), 1.0)
    by_class = {name: by_day.sum() for (_, name, _), by_day in read(mini)["T"].quantities.items()}
    assert by_class == {"PEAK": 12, "ANYTIME": 4 * 48 - 12}


def test_blocks_pool_over_the_days_of_each_price(mini: Mini) -> None:
    mini.price("B", "USAGE", "0.20", block="10", dates=("2020-01-01", "2026-10-05"))
    mini.price("B", "USAGE", "0.40", dates=("2020-01-01", "2026-10-05"))
    mini.price("B", "USAGE", "0.30", block="10", dates=("2026-10-06", ""))
    mini.price("B", "USAGE", "0.50", dates=("2026-10-06", ""))
    mini.account("T", opened="2026-10-04", closed="2026-10-08", plan="B", **BRISBANE)
    mini.interval("T")
    mini.days("T", span("2026-10-04", "2026-10-04"), 0)
    mini.days("T", span("2026-10-05", "2026-10-08"), 1.0)
    # two days at the old price: 48 kWh, 20 in the block; three at the new: 144 kWh, 30 in the block
    expected = [Decimal(text) for text in ("4.00", "11.20", "9.00", "57.00")]
    assert sorted(line[4] for line in read(mini)["T"].lines) == sorted(expected)


def test_discount_counts_by_its_propensity_and_feed_in_is_an_untaxed_credit(mini: Mini) -> None:
    mini.price("S", "USAGE", "0.30", discount=("20", "0.5"))
    mini.price("S", "CONTROL", "0.10")
    mini.price("S", "FEED_IN", "0.05")
    mini.account("T", opened="2026-10-30", plan="S", **BRISBANE)
    for suffix, stream, value in (("E1", "PRIMARY", 1.0), ("E2", "CONTROL", 0.5), ("B1", "SOLAR", 2.0)):
        mini.interval("T", suffix, stream)
        mini.days("T", span("2026-10-01", "2026-10-31"), value, suffix=suffix)
    result = read(mini)["T"]
    assert result.units("ACTUAL") == pytest.approx(96 + 48)
    # 96 x 0.30 x 0.9 = 25.92; 48 x 0.10 = 4.80; 192 x -0.05 = -9.60
    assert result.net == Decimal("21.12")
    assert result.gst == Decimal("2.59") + Decimal("0.48")


# -- plans by day, and what an index costs on a plan of time classes --------------------------------------------------


def test_each_day_has_the_price_and_the_windows_of_its_plan(mini: Mini) -> None:
    """Four days of 48 kWh: FLAT at 0.30, two days of TOU (PEAK 0.50 for a quarter of the day, else 0.20), FLAT."""
    mini.price("TOU", "DAILY", "2.00")
    mini.price("TOU", "USAGE", "0.50", time_class="PEAK")
    mini.price("TOU", "USAGE", "0.20", time_class="ANYTIME")
    mini.add("time_classes", "TOU", "PEAK", "ALL", "12:00", "18:00")
    mini.add("account_plans", "T", "TOU", "2026-10-29", "2026-10-30")
    mini.account("T", opened="2026-10-28", **BRISBANE)
    mini.interval("T")
    mini.days("T", span("2026-10-01", "2026-10-31"), 1.0)
    result = read(mini)["T"]
    # 2 x 1.00 + 2 x 2.00 + 96 x 0.30 + 24 x 0.50 + 72 x 0.20
    assert result.net == Decimal("6.00") + Decimal("28.80") + Decimal("12.00") + Decimal("14.40")


def test_an_index_is_divided_by_the_hours_of_the_classes(mini: Mini) -> None:
    """Friday to Monday, 24 kWh a day: on two weekdays a quarter is PEAK, 12 of 96 kWh."""
    mini.price("TOU", "USAGE", "0.50", time_class="PEAK")
    mini.price("TOU", "USAGE", "0.20", time_class="OFFPEAK")
    mini.add("time_classes", "TOU", "PEAK", "WEEKDAY", "12:00", "18:00")
    mini.add("time_classes", "TOU", "OFFPEAK", "WEEKDAY", "00:00", "12:00")
    mini.add("time_classes", "TOU", "OFFPEAK", "WEEKDAY", "18:00", "24:00")
    mini.add("time_classes", "TOU", "OFFPEAK", "WEEKEND", "00:00", "24:00")
    mini.account("T", opened="2026-10-16", closed="2026-10-19", plan="TOU", **BRISBANE)
    mini.basic("T")
    mini.read("T", "2026-10-16", 0)
    mini.read("T", "2026-10-20", 96)
    result = read(mini)["T"]
    assert result.net == Decimal("6.00") + Decimal("16.80")


def test_export_is_worth_nothing_where_the_plan_has_no_price_for_it(mini: Mini) -> None:
    mini.account("T", opened="2026-10-31", **BRISBANE)
    for suffix, stream in (("E1", "PRIMARY"), ("B1", "SOLAR")):
        mini.interval("T", suffix, stream)
        mini.days("T", span("2026-10-31", "2026-10-31"), 1.0, suffix=suffix)
    result = read(mini)["T"]
    assert (result.net, result.problem) == (Decimal("15.40"), "")


# -- which register measures which day ---------------------------------------------------------------------------------


def test_the_day_of_a_change_of_meters_counts_once(mini: Mini) -> None:
    """24 kWh a day by the basic register, whose last day is the interval register's, and 48 kWh from there on."""
    mini.account("T", opened="2026-10-01", **BRISBANE)
    mini.basic("T", end="2026-10-10")
    mini.read("T", "2026-10-01", 0)
    mini.read("T", "2026-10-11", 240)
    mini.interval("T", start="2026-10-10")
    mini.days("T", span("2026-10-10", "2026-10-31"), 1.0)
    assert read(mini)["T"].units("ACTUAL") == pytest.approx(9 * 24 + 22 * 48)


def test_a_register_that_ended_goes_on(mini: Mini) -> None:
    """T reads 33.6 kWh a day to 21 October. That it ends does not move the profile."""
    panel(mini)
    mini.account("T", **BRISBANE)
    mini.bill("T", "2026-01-01", "2026-10-11", "2026-10-15")
    mini.interval("T", end="2026-10-21")
    mini.days("T", span("2026-01-01", "2026-10-21"), 0.7)
    result = read(mini)["T"]
    assert result.units("ACTUAL") == pytest.approx(10 * 33.6)
    assert result.units("ESTIMATED") == pytest.approx(10 * 33.6)


def test_days_before_the_first_register_have_their_supply_alone(mini: Mini) -> None:
    mini.account("T", opened="2026-10-30", **BRISBANE)
    mini.interval("T", start="2026-10-31")
    mini.days("T", span("2026-10-31", "2026-10-31"), 1.0)
    assert read(mini)["T"].net == Decimal("2.00") + Decimal("14.40")


# -- meter data files --------------------------------------------------------------------------------------------------


def test_five_minute_values_are_summed_and_take_the_worst_quality() -> None:
    values = ["10"] * 286 + ["", "10"]
    lines = [
        "100,NEM12,202610010000,MDP,RET",
        "200,4100000000X,E1,E1,E1,N1,M,WH,5,",
        f"300,20261001,{','.join(values)},V,,,20261002000000,",
        "400,1,6,A,,",
        "400,7,9,S14,32,",
        "400,10,12,E52,,",
        "400,13,288,A,,",
        "900",
    ]
    ((key, updated, (kwh, worth)),) = parse_nem12("\n".join(lines))
    assert (key, updated) == (("4100000000", "E1", date(2026, 10, 1)), "20261002000000")
    assert kwh == pytest.approx([0.06] * 47 + [0.05])
    assert worth.tolist() == [READ, ESTIMATED, *[READ] * 45, MISSING]


def test_the_newest_update_wins_wherever_it_stands(mini: Mini) -> None:
    mini.account("T", opened="2026-10-31", **BRISBANE)
    mini.interval("T")
    for value, updated in ((1.0, "20261101000000"), (2.0, "20261101090000"), (3.0, "20261101030000")):
        mini.days("T", span("2026-10-31", "2026-10-31"), value)
        mini.nem12[-1] = mini.nem12[-1].replace("20261101000000", updated)
    assert read(mini)["T"].units("ACTUAL") == pytest.approx(96)
