"""The scalar of a register, by the methods of docs/arithmetic.md in the order of its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from tests.independent.believed import Span

REFERENCE_DAYS, MIN_REFERENCE_DAYS, HALF_LIFE, SHAPE_DAYS = 91, 14, 5, 28
MIN_SPAN_DAYS = 60
LAST_YEAR, LAST_YEARS_END, NEAR = 365, 273, 45  # days before the last read, and how near a read must be
OWN_LOW, OWN_HIGH = 1 / 3, 3
POWER = {"RES": 0.0, "BUS": 0.5}
GIANT_POWER, GAS_POWER = 1.0, 0.67
FIT_SPANS, MIN_FIT_SPANS, FIT_FADES = 5, 4, 0.8
MOVE_LOW, MOVE_HIGH = 1 / 2, 2
VACANT_DAYS = 364
CAP = 20


@dataclass(frozen=True)
class Estimate:
    """A day is base + scalar x macro profile. `days` are those of the macro profile that the scalar rests on."""

    method: str
    scalar: float
    days: np.ndarray | None = None
    base: float = 0.0
    giant: bool = False  # its scalar is not capped
    flag: str = ""  # that the account has for it


class History:
    """The believed spans of one basic register under one account, and the macro profile."""

    def __init__(self, rows: Sequence[Sequence[Span]], macro: np.ndarray, first: date) -> None:
        self.rows = [list(row) for row in rows if row]
        self.macro, self.first = macro, first

    @property
    def latest(self) -> list[Span]:
        """Those since the index last began anew."""
        return self.rows[-1] if self.rows else []

    @property
    def spans(self) -> list[Span]:
        return [span for row in self.rows for span in row]

    @property
    def last_read(self) -> date:
        return self.latest[-1].end

    def days(self, start: date, end: date) -> np.ndarray:
        index = np.arange(len(self.macro))
        return (index >= (start - self.first).days) & (index < (end - self.first).days)

    def volume(self, start: date, end: date) -> float | None:
        """Sum of the macro profile, or None if a day of it is unknown."""
        total = self.macro[self.days(start, end)].sum() if start >= self.first else np.nan
        return float(total) if total > 0 else None

    def used(self, start: date, end: date) -> float:
        return sum(span.used for span in self.latest if span.start >= start and span.end <= end)

    def scalar(self, start: date, end: date) -> float | None:
        volume = self.volume(start, end) if start < end else None
        return None if volume is None else self.used(start, end) / volume

    def mean_scalar(self, spans: Sequence[Span]) -> tuple[float, np.ndarray, int] | None:
        """Of all spans that the profile covers together, with their days."""
        known = [(span, self.volume(span.start, span.end)) for span in spans]
        covered = [(span, volume) for span, volume in known if volume is not None]
        if not covered:
            return None
        days = np.any([self.days(span.start, span.end) for span, _ in covered], axis=0)
        scalar = sum(span.used for span, _ in covered) / sum(volume for _, volume in covered)
        return scalar, days, sum(span.days for span, _ in covered)

    def reference_start(self) -> date | None:
        """The latest actual read at least sixty days before the last one."""
        starts = [span.start for span in self.latest if (self.last_read - span.start).days >= MIN_SPAN_DAYS]
        return max(starts, default=None)

    def near(self, target: date) -> date | None:
        reads = [self.latest[0].start, *(span.end for span in self.latest)]
        nearest = min(reads, key=lambda read: abs((read - target).days))
        return nearest if abs((nearest - target).days) <= NEAR else None

    def seasons(self, length: int) -> tuple[float | None, float | None]:
        """s4 and s5: last year's scalars of the days that are missing now, and of the `length` days before them."""
        start, end = (self.near(self.last_read - timedelta(days=n)) for n in (LAST_YEAR, LAST_YEARS_END))
        if start is None or end is None:
            return None, None
        before = self.near(start - timedelta(days=length))
        return self.scalar(start, end), None if before is None else self.scalar(before, start)

    def zero_days(self) -> int:
        """How long nothing has been used, up to the last read."""
        days = 0
        for span in reversed(self.latest):
            if span.used > 0:
                break
            days += span.days
        return days


def season(s1: float, s4: float | None, s5: float | None, power: float, customer_class: str) -> float:
    """s1, corrected by what the customer's own season did last year."""
    if s4 and s5:
        return s1 * min(max(s4 / s5, OWN_LOW), OWN_HIGH) ** power
    if s4 and s5 is None and customer_class == "BUS":
        return float(np.sqrt(s1 * s4))
    return s1


def nothing_used(history: History, s4: float | None) -> Estimate:
    """A last span of zero says nothing about other seasons."""
    if history.zero_days() >= VACANT_DAYS:
        return Estimate("READS", 0.0, flag="VACANT")
    if not any(span.used for span in history.latest):
        return Estimate("READS", 0.0, flag="ZERO_USE")
    if s4 is not None:
        return Estimate("READS_SEASON", s4)
    year = [span for span in history.latest if (history.last_read - span.end).days < VACANT_DAYS]
    mean = history.mean_scalar(year)
    return Estimate("OLDER_READS", mean[0], mean[1]) if mean else Estimate("READS", 0.0, flag="ZERO_USE")


def from_reads(history: History, fuel: str, customer_class: str, giant_day: float) -> Estimate | None:
    """READS, READS_SEASON, BASE_AND_SEASON or GIANT_DAILY_MEAN, of a basic meter with reads sixty days apart."""
    start = history.reference_start() if history.latest else None
    if start is None:
        return None
    end = history.last_read
    length, days = (end - start).days, history.days(start, end)
    s1 = history.scalar(start, end)
    s4, s5 = history.seasons(length)
    used = history.used(start, end)
    idle = nothing_used(history, s4) if used == 0 else None
    if idle is not None and idle.flag:
        return idle
    if fuel == "ELECTRICITY" and used / length > giant_day:
        if s1 is not None and s4:
            return Estimate("READS_SEASON", season(s1, s4, s5, GIANT_POWER, customer_class), days, giant=True)
        return Estimate("GIANT_DAILY_MEAN", 0.0, None, used / length, giant=True)
    if s1 is None:
        return None
    if fuel == "GAS" and (fit := base_and_slope(history, moved=idle is None)) is not None:
        base, slope = fit
        own = idle.scalar if idle else season(s1, s4, s5, GAS_POWER, customer_class)
        return Estimate("BASE_AND_SEASON", (slope + own) / 2, days, base / 2)
    if idle is not None:
        return idle
    own = season(s1, s4, s5, POWER[customer_class], customer_class)
    return Estimate("READS" if own == s1 else "READS_SEASON", own, days)


def base_and_slope(history: History, *, moved: bool) -> tuple[float, float] | None:
    """A base load a day and a slope on the zone's volume, neither below zero, fitted over the latest five spans."""
    latest = history.spans[-FIT_SPANS:][::-1]
    points = [
        (span, volume, FIT_FADES**k / (volume / span.days))
        for k, span in enumerate(latest, start=1)
        if (volume := history.volume(span.start, span.end)) is not None
    ]
    if len(points) < MIN_FIT_SPANS:
        return None
    of = np.array([[span.days, volume] for span, volume, _ in points], dtype=float)
    used, weight = np.array([span.used for span, _, _ in points]), np.array([weight for *_, weight in points])

    def fitted(columns: list[int]) -> np.ndarray:
        root = np.sqrt(weight)
        found = np.zeros(2)
        found[columns] = np.linalg.lstsq(of[:, columns] * root[:, None], used * root, rcond=None)[0]
        return found

    tries = [found for columns in ([0, 1], [0], [1]) if (found := fitted(columns)).min() >= 0]
    base, slope = min(tries, key=lambda found: float((weight * (used - of @ found) ** 2).sum()))
    last, last_volume, _ = points[0]
    expected = base * last.days + slope * last_volume
    factor = min(max(last.used / expected, MOVE_LOW), MOVE_HIGH) if moved and expected > 0 else 1.0
    return float(base * factor), float(slope * factor)


# -- interval meters ---------------------------------------------------------------------------------------------------


def distance(count: int, first: int, last: int) -> np.ndarray:
    """Days from each day to a gap: 1 is the day just before or after it, 0 lies in it."""
    day = np.arange(count)
    return np.maximum(np.maximum(first - day, day - last), 0)


def recent_days(daily: np.ndarray, complete: np.ndarray, away: np.ndarray, macro: np.ndarray) -> Estimate | None:
    days = complete & (away > 0) & (away <= REFERENCE_DAYS) & ~np.isnan(macro)
    weight = 0.5 ** (away[days] / HALF_LIFE)
    volume = (weight * macro[days]).sum()
    if days.sum() < MIN_REFERENCE_DAYS or not volume > 0:
        return None
    return Estimate("RECENT_DAYS", float((weight * daily[days]).sum() / volume), days)


def own_shape(kwh: np.ndarray, complete: np.ndarray, away: np.ndarray, types: np.ndarray, of: str) -> np.ndarray | None:
    """How the meter itself divides a day of this type: the nearest days of the type, as shares of their sum."""
    candidates = np.flatnonzero(complete & (away > 0) & (away <= REFERENCE_DAYS) & (types == of))
    nearest = candidates[np.argsort(away[candidates], kind="stable")][:SHAPE_DAYS]
    total = kwh[nearest].sum()
    return kwh[nearest].sum(axis=0) / total if len(nearest) >= MIN_REFERENCE_DAYS and total > 0 else None


def latest_days(daily: np.ndarray, complete: np.ndarray, macro: np.ndarray) -> Estimate | None:
    days = complete & ~np.isnan(macro)
    days[np.flatnonzero(days)[:-REFERENCE_DAYS]] = False
    if days.sum() < MIN_REFERENCE_DAYS or not macro[days].sum() > 0:
        return None
    return Estimate("OLDER_READS", float(daily[days].sum() / macro[days].sum()), days)
