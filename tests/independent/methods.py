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
FIT_SHARE = {"BASE_AND_SEASON": 0.5, "DEGREE_DAYS": 0.6}
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
    mean: float = 0.0  # its own mean day, in kWh or MJ
    giant: bool = False  # its scalar is not capped
    flag: str = ""  # that the account has for it
    degree_slope: float = 0.0  # times the day's degree-days comes on top


class History:
    """The believed spans of one basic register under one account, oldest first, and the macro profile."""

    def __init__(
        self, spans: Sequence[Span], macro: np.ndarray, first: date, degrees: np.ndarray | None = None
    ) -> None:
        self.spans, self.macro, self.first = sorted(spans, key=lambda span: span.start), macro, first
        self.degrees = degrees  # degree-days, up to the last day that is estimated

    @property
    def last_read(self) -> date:
        return self.spans[-1].end

    def days(self, spans: Sequence[Span]) -> np.ndarray:
        index = np.arange(len(self.macro))
        inside = [(index >= (s.start - self.first).days) & (index < (s.end - self.first).days) for s in spans]
        return np.any([np.zeros(len(self.macro), dtype=bool), *inside], axis=0)

    def volume(self, span: Span) -> float | None:
        """Sum of the macro profile, or None if a day of it is unknown."""
        total = self.macro[self.days([span])].sum() if span.start >= self.first else np.nan
        return float(total) if total > 0 else None

    def cold(self, span: Span) -> float | None:
        """Sum of the degree-days, or None if those of a day are unknown."""
        if self.degrees is None or span.start < self.first:
            return None
        total = self.degrees[(span.start - self.first).days : (span.end - self.first).days].sum()
        return None if np.isnan(total) else float(total)

    def knows_the_cold_since(self, day: date) -> bool:
        return self.degrees is not None and not np.isnan(self.degrees[(day - self.first).days :]).any()

    def within(self, start: date | None, end: date | None) -> list[Span]:
        """The spans between two reads, as far as the profile covers them."""
        if start is None or end is None:
            return []
        return [s for s in self.spans if s.start >= start and s.end <= end and self.volume(s) is not None]

    def scalar(self, spans: Sequence[Span]) -> float | None:
        """What was used on spans that the profile covers, over its sum of the same days."""
        return sum(s.used for s in spans) / sum(self.volume(s) or 0.0 for s in spans) if spans else None

    def reference(self) -> list[Span]:
        """From the latest actual read at least sixty days before the last one."""
        starts = [s.start for s in self.spans if (self.last_read - s.start).days >= MIN_SPAN_DAYS]
        return [s for s in self.spans if s.start >= max(starts)] if starts else []

    def near(self, target: date) -> date | None:
        reads = sorted({day for span in self.spans for day in (span.start, span.end)})
        nearest = min(reads, key=lambda read: abs((read - target).days))
        return nearest if abs((nearest - target).days) <= NEAR else None

    def seasons(self, length: int) -> tuple[float | None, float | None]:
        """s4 and s5: last year's scalars of the days that are missing now, and of the `length` days before them."""
        start, end = (self.near(self.last_read - timedelta(days=n)) for n in (LAST_YEAR, LAST_YEARS_END))
        before = None if start is None else self.near(start - timedelta(days=length))
        s4 = self.scalar(self.within(start, end))
        return s4, None if s4 is None else self.scalar(self.within(before, start))

    def days_without_use(self) -> int:
        """How long nothing has been used, up to the last read."""
        used = [span.end for span in self.spans if span.used > 0]
        return (self.last_read - max(used, default=self.spans[0].start)).days


def season(s1: float, s4: float | None, s5: float | None, power: float, *, geometric: bool) -> float:
    """s1, corrected by what the customer's own season did last year."""
    if s4 and s5:
        return s1 * min(max(s4 / s5, OWN_LOW), OWN_HIGH) ** power
    return float(np.sqrt(s1 * s4)) if s4 and s5 is None and geometric else s1


def nothing_used(history: History, s4: float | None) -> Estimate:
    """A reference without use says nothing about other seasons."""
    if history.days_without_use() >= VACANT_DAYS:
        return Estimate("READS", 0.0, flag="VACANT")
    if s4:
        return Estimate("READS_SEASON", s4)
    a_year_ago = history.last_read - timedelta(days=LAST_YEAR)
    last_year = a_year_ago if s4 is None else history.near(a_year_ago) or a_year_ago
    year = [span for span in history.spans if span.end > last_year and history.volume(span) is not None]
    mean = history.scalar(year)
    return Estimate("OLDER_READS", mean, history.days(year)) if mean else Estimate("READS", 0.0, flag="ZERO_USE")


def from_reads(history: History, fuel: str, customer_class: str, giant_day: float) -> Estimate | None:
    """READS, READS_SEASON, BASE_AND_SEASON, or a giant's, of a basic meter with reads sixty days apart."""
    reference = history.reference() if history.spans else []
    if not reference or any(history.volume(span) is None for span in reference):
        return None
    s1, days = history.scalar(reference) or 0.0, history.days(reference)
    length, mean = (history.last_read - reference[0].start).days, sum(span.used for span in reference) / days.sum()
    s4, s5 = history.seasons(length)
    electric = fuel == "ELECTRICITY"
    if electric and mean > giant_day and s4 and s5:
        return Estimate("READS_SEASON", season(s1, s4, s5, GIANT_POWER, geometric=False), days, mean=mean, giant=True)
    power = POWER[customer_class] if electric else GAS_POWER
    idle = nothing_used(history, s4) if s1 == 0 else None
    own = idle.scalar if idle else season(s1, s4, s5, power, geometric=electric and customer_class == "BUS")
    fit = None if electric or (idle and idle.flag == "VACANT") else base_and_slope(history)
    if fit is not None:
        by, base, slope = fit
        share = FIT_SHARE[by]
        on_volume, on_degrees = (slope, 0.0) if by == "BASE_AND_SEASON" else (0.0, slope)
        scalar = share * on_volume + (1 - share) * own
        return Estimate(by, scalar, days, share * base, mean, degree_slope=share * on_degrees)
    return idle or Estimate("READS" if own == s1 else "READS_SEASON", own, days, mean=mean)


def base_and_slope(history: History) -> tuple[str, float, float] | None:
    """A base load a day and a slope on the zone's degree-days or else its volume, neither below zero, fitted over the latest five spans."""
    latest = history.spans[-FIT_SPANS:][::-1]
    points = [
        (span, volume, FIT_FADES**k / (volume / span.days))
        for k, span in enumerate(latest, start=1)
        if (volume := history.volume(span)) is not None
    ]
    if len(points) < MIN_FIT_SPANS:
        return None
    cold = [history.cold(span) for span, _, _ in points]
    by = "DEGREE_DAYS" if None not in cold and history.knows_the_cold_since(history.last_read) else "BASE_AND_SEASON"
    drivers = cold if by == "DEGREE_DAYS" else [volume for _, volume, _ in points]
    of = np.array([[span.days, driver] for (span, *_), driver in zip(points, drivers, strict=True)], dtype=float)
    used, weight = np.array([span.used for span, _, _ in points]), np.array([weight for *_, weight in points])

    def fitted(columns: list[int]) -> np.ndarray:
        root = np.sqrt(weight)
        found = np.zeros(2)
        found[columns] = np.linalg.lstsq(of[:, columns] * root[:, None], used * root, rcond=None)[0]
        return found

    tries = [found for columns in ([0, 1], [0], [1]) if (found := fitted(columns)).min() >= 0]
    base, slope = min(tries, key=lambda found: float((weight * (used - of @ found) ** 2).sum()))
    last = latest[0]
    expected = float(of[0] @ [base, slope]) if points[0][0] is last else 0.0
    factor = min(max(last.used / expected, MOVE_LOW), MOVE_HIGH) if last.used > 0 and expected > 0 else 1.0
    return by, float(base * factor), float(slope * factor)


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
    return Estimate("RECENT_DAYS", float((weight * daily[days]).sum() / volume), days, mean=float(daily[days].mean()))


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
    scalar = float(daily[days].sum() / macro[days].sum())
    return Estimate("OLDER_READS", scalar, days, mean=float(daily[days].mean()))
