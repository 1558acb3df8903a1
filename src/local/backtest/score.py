"""How far estimates were from what was read later: over the months, and over the accounts."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

PRODUCT, LAST_BILL, LAST_YEAR = "product", "last bill", "last year"
LAGS = 2  # month ends that share days of an unread quarter
LEAST_MONTHS = 3  # for a t


@dataclass(frozen=True)
class Observation:
    """A settled account at a month end: the units of what was missing, and what each way said of them."""

    run_date: date
    account_id: str
    fuel: str
    segment: str
    method: str
    missing: float  # read later
    estimates: dict[str, float]  # by way
    limits: dict[int, tuple[float, float]] = field(
        default_factory=dict
    )  # low and high of the account's band, by percent

    def within(self, percent: int) -> bool:
        """Whether the account's band held what was read."""
        low, high = self.limits[percent]
        return low <= self.missing <= high


@dataclass(frozen=True)
class Month:
    """One month end of one way, in units."""

    run_date: date
    accounts: int
    missing: float
    off: float
    off_absolute: float

    @property
    def book(self) -> float:
        """Estimate less truth, in % of the missing units."""
        return 100 * self.off / self.missing

    @property
    def wape(self) -> float:
        """The sum of the accounts' errors without their signs, in % of the missing units."""
        return 100 * self.off_absolute / self.missing


@dataclass(frozen=True)
class Score:
    """One way over all month ends; errors are in % of the missing units."""

    months: list[Month]
    accounts: int  # account-months
    missing: float
    bias: float  # mean of the months' book errors
    spread: float | None  # their standard deviation
    t: float | None  # of bias
    book: float  # mean of the months' book errors without sign
    median: float | None  # of the accounts' errors without sign
    p90: float | None
    wape: float
    wape_spread: float | None  # standard deviation over the months


def score(way: str, observations: Iterable[Observation]) -> Score | None:
    """Score a way on the observations that it has an estimate for; None if nothing was missing in any month."""
    by_month: dict[date, list[Observation]] = defaultdict(list)
    for observation in observations:
        if way in observation.estimates:
            by_month[observation.run_date].append(observation)
    months = [_month(run_date, way, found) for run_date, found in sorted(by_month.items())]
    months = [month for month in months if month.missing > 0]
    if not months:
        return None
    kept = {month.run_date for month in months}
    errors = sorted(
        100 * abs(o.estimates[way] - o.missing) / o.missing
        for found in by_month.values()
        for o in found
        if o.missing > 0 and o.run_date in kept
    )
    books = [month.book for month in months]
    missing = sum(month.missing for month in months)
    return Score(
        months=months,
        accounts=sum(month.accounts for month in months),
        missing=missing,
        bias=statistics.mean(books),
        spread=_spread(books),
        t=t_value(books),
        book=statistics.mean(map(abs, books)),
        median=quantile(errors, 0.5),
        p90=quantile(errors, 0.9),
        wape=100 * sum(month.off_absolute for month in months) / missing,
        wape_spread=_spread([month.wape for month in months]),
    )


def t_value(values: Sequence[float], lags: int = LAGS) -> float | None:
    """The mean divided by its standard error, by Newey and West: months that follow each other share unread days.

    None for less than three months, and when the months do not differ.
    """
    n = len(values)
    if n < LEAST_MONTHS:
        return None
    mean = statistics.mean(values)
    off = [value - mean for value in values]
    lags = min(lags, n - 1)
    total = sum(d * d for d in off)
    for lag in range(1, lags + 1):
        total += 2 * (1 - lag / (lags + 1)) * sum(a * b for a, b in zip(off[lag:], off, strict=False))
    return mean / math.sqrt(total / n / (n - 1)) if total > 0 else None


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The value below which a share of ordered values lies, interpolated between two."""
    if not ordered:
        return None
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def grouped(
    observations: Iterable[Observation], key: Callable[[Observation], tuple[str, ...]]
) -> dict[tuple[str, ...], list[Observation]]:
    """Observations by a key, in its order."""
    found: dict[tuple[str, ...], list[Observation]] = defaultdict(list)
    for observation in observations:
        found[key(observation)].append(observation)
    return dict(sorted(found.items()))


def _month(run_date: date, way: str, found: list[Observation]) -> Month:
    off = [o.estimates[way] - o.missing for o in found]
    return Month(run_date, len(found), math.fsum(o.missing for o in found), math.fsum(off), math.fsum(map(abs, off)))


def _spread(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None
