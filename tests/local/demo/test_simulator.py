"""The parts of the demo's simulator, against values worked out by hand."""

import ast
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from local import demo
from local.demo.cast import BASIC, GAS, INTERVAL, awkward, cast
from local.demo.holidays import public_holidays
from local.demo.interval_reads import _split
from local.demo.tariffs import DailyUse, Line, Price, classes_of, priced_lines
from local.demo.timeline import Timeline, clock_of
from shared.errors import InvalidInput

TIMELINE = Timeline(date(2026, 11, 1))


def test_timeline_of_a_run():
    assert TIMELINE.accrual == date(2026, 10, 31)
    assert TIMELINE.period_start == date(2025, 11, 1)
    assert (TIMELINE.first, TIMELINE.months_ago(14)) == (date(2023, 11, 1), date(2025, 9, 1))
    assert TIMELINE.days[-1] == date(2026, 11, 1)
    assert TIMELINE.ago(30) == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("run_date", "period_start", "first"),
    [
        (date(2028, 3, 1), date(2027, 3, 1), date(2025, 3, 1)),  # February with a 29th inside
        (date(2027, 1, 1), date(2026, 1, 1), date(2024, 1, 1)),  # year end
        (date(2026, 11, 15), date(2025, 11, 1), date(2023, 11, 1)),  # a late run is of the same month
    ],
)
def test_timeline_counts_months(run_date, period_start, first):
    timeline = Timeline(run_date)
    assert (timeline.period_start, timeline.first) == (period_start, first)


class TestClock:
    def local(self, jurisdiction, day, half_hour):
        clock = clock_of(TIMELINE, jurisdiction)
        row = TIMELINE.at(day)
        return TIMELINE.days[clock.local_day[row, half_hour]], clock.local_half_hour[row, half_hour]

    def half_hours(self, jurisdiction, day):
        return int((clock_of(TIMELINE, jurisdiction).local_day == TIMELINE.at(day)).sum())

    def test_sydney_is_at_market_time_in_winter(self):
        assert self.local("NSW", date(2026, 7, 1), 0) == (date(2026, 7, 1), 0)

    def test_sydney_is_an_hour_ahead_in_summer(self):
        assert self.local("NSW", date(2026, 1, 1), 45) == (date(2026, 1, 1), 47)
        assert self.local("NSW", date(2026, 1, 1), 46) == (date(2026, 1, 2), 0)

    def test_clocks_go_forward_on_the_first_sunday_of_october(self):
        assert self.half_hours("NSW", date(2026, 10, 4)) == 46
        assert self.half_hours("VIC", date(2026, 10, 4)) == 46
        assert self.local("NSW", date(2026, 10, 4), 4) == (date(2026, 10, 4), 6)  # 02:00 is 03:00

    def test_clocks_go_back_on_the_first_sunday_of_april(self):
        assert self.half_hours("SA", date(2026, 4, 5)) == 50

    def test_queensland_and_western_australia_never_move(self):
        for jurisdiction in ("QLD", "WA"):
            assert self.local(jurisdiction, date(2026, 1, 1), 0) == (date(2026, 1, 1), 0)
            assert self.half_hours(jurisdiction, date(2026, 10, 4)) == 48

    def test_adelaide_is_half_an_hour_behind_in_winter_and_ahead_in_summer(self):
        assert self.local("SA", date(2026, 7, 2), 0) == (date(2026, 7, 1), 47)
        assert self.local("SA", date(2026, 1, 1), 47) == (date(2026, 1, 2), 0)

    def test_a_half_hour_outside_the_timeline_belongs_to_no_day(self):
        assert clock_of(TIMELINE, "NSW").local_day[-1, 47] == -1

    def test_public_holidays_are_weekend(self):
        weekend = clock_of(TIMELINE, "NSW").weekend
        assert [bool(weekend[TIMELINE.at(date(2026, 10, d))]) for d in (2, 3, 4, 5, 6)] == [
            False,
            True,
            True,
            True,
            False,
        ]
        assert not clock_of(TIMELINE, "VIC").weekend[TIMELINE.at(date(2026, 10, 5))]


def test_public_holidays_by_the_calendar():
    nsw, vic = public_holidays("NSW", 2024, 2026), public_holidays("VIC", 2026, 2026)
    assert {date(2024, 3, 29), date(2024, 4, 1), date(2025, 4, 18), date(2026, 4, 3), date(2026, 4, 6)} <= nsw
    assert {date(2026, 10, 5), date(2026, 6, 8)} <= nsw
    assert {date(2026, 11, 3), date(2026, 3, 9)} <= vic
    assert date(2026, 10, 5) not in vic


class TestPrices:
    """Three bill days, 1 to 3 July 2026, of 10, 20 and 12.5 kWh."""

    days = TIMELINE.span(date(2026, 7, 1), date(2026, 7, 3))

    def use(self, item_type="USAGE", time_class="ANYTIME"):
        quantities = np.zeros(len(TIMELINE.days), dtype=np.int64)
        quantities[TIMELINE.at(date(2026, 7, 1)) :][:3] = (10000, 20000, 12500)
        return DailyUse({(item_type, time_class): quantities}, Decimal("0.001"))

    def price(self, rate, *more, item_type="USAGE", start=date(2020, 1, 1), end=None):
        return Price("P", item_type, "ANYTIME", start, end, Decimal(rate), *(x and Decimal(x) for x in more))

    def test_supply_is_charged_by_the_day(self):
        price = self.price("0.985", item_type="DAILY")
        assert priced_lines([price], self.use(), self.days, TIMELINE) == [
            Line("DAILY", "ANYTIME", Decimal(3), Decimal("2.96"))  # 2.955, half up
        ]

    def test_blocks_are_pooled_over_the_bill_days(self):
        """A day's block of 8 holds 24 kWh in three days, the second 7.5, the rest of 42.5 is 11."""
        prices = [self.price("0.30", "8"), self.price("0.40", "2.5"), self.price("0.50")]
        assert [(line.quantity, line.net_amount) for line in priced_lines(prices, self.use(), self.days, TIMELINE)] == [
            (Decimal(24), Decimal("7.20")),
            (Decimal("7.5"), Decimal("3.00")),
            (Decimal(11), Decimal("5.50")),
        ]

    def test_a_block_that_is_not_reached_makes_no_line(self):
        assert len(priced_lines([self.price("0.30", "20"), self.price("0.40")], self.use(), self.days, TIMELINE)) == 1

    def test_a_price_change_splits_days_and_blocks(self):
        """One day at the old price, its block 8 of 10 kWh; two at the new one, their block 16 of 32.5."""
        old = {"end": date(2026, 7, 1)}
        new = {"start": date(2026, 7, 2)}
        prices = [
            self.price("0.1", "8", **old),
            self.price("0.2", **old),
            self.price("0.3", "8", **new),
            self.price("0.4", **new),
        ]
        lines = priced_lines(prices, self.use(), self.days, TIMELINE)
        assert [(line.quantity, line.net_amount) for line in lines] == [
            (Decimal(8), Decimal("0.80")),
            (Decimal(2), Decimal("0.40")),
            (Decimal(16), Decimal("4.80")),
            (Decimal("16.5"), Decimal("6.60")),
        ]

    def test_a_discount_counts_by_its_propensity(self):
        """42.5 kWh x 0.30 = 12.75, less 12 % x 0.85 = 10.2 %: 11.4495."""
        (line,) = priced_lines([self.price("0.30", None, "12", "0.85")], self.use(), self.days, TIMELINE)
        assert line.net_amount == Decimal("11.45")

    def test_feed_in_is_a_credit(self):
        (line,) = priced_lines([self.price("0.07", item_type="FEED_IN")], self.use("FEED_IN"), self.days, TIMELINE)
        assert (line.quantity, line.net_amount) == (Decimal("42.5"), Decimal("-2.98"))  # 2.975, half up

    def test_only_priced_classes_have_their_windows(self):
        """HOME-EXPORT prices feed-in in the evening peak (16:00 to 21:00) and all usage alike."""
        clock = clock_of(TIMELINE, "QLD")
        assert {name: int(where[0].sum()) for name, where in classes_of("HOME-EXPORT", "FEED_IN", clock).items()} == {
            "ANYTIME": 38,
            "PEAK": 10,
        }
        assert list(classes_of("HOME-EXPORT", "USAGE", clock)) == ["ANYTIME"]


def test_shorter_intervals_keep_every_half_hour():
    rng = np.random.default_rng(1)
    values = rng.integers(0, 500, (5, 48))
    for minutes in (5, 15):
        pieces = _split(values, minutes, rng)
        assert pieces.shape == (5, 1440 // minutes)
        assert (pieces >= 0).all()
        assert (pieces.reshape(5, 48, -1).sum(axis=2) == values).all()


@pytest.mark.parametrize(("accounts", "thirds"), [(360, (120, 120, 120)), (301, (100, 100, 101))])
def test_cast_has_as_many_accounts_as_asked_for_in_thirds(accounts, thirds):
    places = cast(accounts)
    counts = [sum(len(place.tenants) for place in places if place.kind == kind) for kind in (INTERVAL, BASIC, GAS)]
    assert sum(counts) == accounts
    assert sorted(counts) == sorted(thirds)


def test_cast_without_room_for_every_case_is_refused():
    least = sum(len(place.tenants) for place in awkward())
    assert len(cast(least)) == len(awkward())
    with pytest.raises(InvalidInput, match=f"at least {least} accounts"):
        cast(least - 1)


def test_the_simulator_knows_nothing_of_the_estimator():
    """It may share the folder's format and the identifiers' checksum with the project, and nothing else."""
    modules = set()
    for path in Path(demo.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module)
            elif isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
    own = {module for module in modules if module.startswith(("local", "shared", "lambdas"))}
    allowed = {"local.portfolio.csv_files", "local.portfolio.records", "shared.errors", "shared.metering.nmi"}
    assert {module for module in own if not module.startswith("local.demo")} == allowed
