"""The days of the simulation, in market time and on each jurisdiction's clock."""

import functools
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from local.demo.holidays import public_holidays

Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

HALF_HOURS = 48
MINUTE = timedelta(minutes=1)
SIMULATED_MONTHS = 36
TIME_ZONES = {
    "NSW": "Australia/Sydney",
    "ACT": "Australia/Sydney",
    "VIC": "Australia/Melbourne",
    "QLD": "Australia/Brisbane",
    "SA": "Australia/Adelaide",
    "TAS": "Australia/Hobart",
    "WA": "Australia/Perth",
}


def months_before(first_of_month: date, months: int) -> date:
    """Return the first of the month that many months earlier."""
    count = first_of_month.year * 12 + first_of_month.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


@dataclass(frozen=True)
class Timeline:
    """All simulated market days, one more than the run accrues: in winter an Adelaide day ends after market midnight."""

    run_date: date

    @property
    def month(self) -> date:
        return self.run_date.replace(day=1)

    @functools.cached_property
    def accrual(self) -> date:
        """The last day of the period."""
        return self.month - timedelta(days=1)

    @property
    def period_start(self) -> date:
        return self.months_ago(12)

    @functools.cached_property
    def first(self) -> date:
        return self.months_ago(SIMULATED_MONTHS)

    @functools.cached_property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.accrual - self.first).days + 2)]

    def months_ago(self, months: int) -> date:
        """Return the first of the month that many months before the run's."""
        return months_before(self.month, months)

    def ago(self, days: int) -> date:
        """Return the day that many days before the accrual date."""
        return self.accrual - timedelta(days=days)

    def at(self, day: date) -> int:
        """Return the index of a day."""
        return (day - self.first).days

    def span(self, start: date, end: date) -> Flags:
        """Return a flag per day: from start to end, both included."""
        flags = np.zeros(len(self.days), dtype=bool)
        flags[max(self.at(start), 0) : max(self.at(end) + 1, 0)] = True
        return flags


@dataclass(frozen=True)
class Clock:
    """Every market half-hour (day x 48) on a jurisdiction's clock.

    local_day is an index into the timeline's days, -1 where it lies outside; local_half_hour counts from local
    midnight. weekend has a flag per local day; public holidays are weekend.
    """

    local_day: Integers
    local_half_hour: Integers
    weekend: Flags

    def sum_by_local_day(self, values: Integers, where: Flags | None = None) -> Integers:
        """Return the sum of market half-hours (day x 48) per local day."""
        chosen = self.local_day >= 0 if where is None else where & (self.local_day >= 0)
        sums = np.bincount(self.local_day[chosen], weights=values[chosen], minlength=len(self.weekend))
        return np.rint(sums).astype(np.int64)


def clock_of(timeline: Timeline, jurisdiction: str) -> Clock:
    """Map the timeline to the jurisdiction's clock. Market time never changes: UTC+10, in Western Australia UTC+8."""
    zone = ZoneInfo(TIME_ZONES[jurisdiction])
    market = timedelta(hours=8 if jurisdiction == "WA" else 10)
    midnight = datetime.combine(timeline.first, time(), UTC) - market
    # Local wall time as minutes since the first day's midnight.
    wall = np.arange(len(timeline.days) * HALF_HOURS) * 30 - market // MINUTE
    for number in range(len(timeline.days)):
        day = slice(number * HALF_HOURS, (number + 1) * HALF_HOURS)
        wall[day] += _offsets(midnight + timedelta(days=number), zone)
    days = wall // 1440
    days[(days < 0) | (days >= len(timeline.days))] = -1
    holidays = public_holidays(jurisdiction, timeline.first.year, timeline.run_date.year)
    weekend = np.array([day.weekday() >= 5 or day in holidays for day in timeline.days])
    shape = (len(timeline.days), HALF_HOURS)
    return Clock(days.reshape(shape), (wall % 1440 // 30).reshape(shape), weekend)


def _offsets(start: datetime, zone: ZoneInfo) -> list[int]:
    """Return the minutes by which the zone's clock is ahead of UTC in each half-hour of 24 hours."""

    def offset(number: int) -> int:
        ahead = (start + timedelta(minutes=30 * number)).astimezone(zone).utcoffset()
        return 0 if ahead is None else ahead // MINUTE

    if offset(0) == offset(HALF_HOURS - 1):  # every day of the year but two
        return [offset(0)] * HALF_HOURS
    return [offset(number) for number in range(HALF_HOURS)]
