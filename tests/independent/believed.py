"""Which reads are believed (docs/arithmetic.md, the section of that name). The others count as missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
from tests.independent.folder import MISSING, IndexRead, IntervalDays

HALF_HOUR = {"RES": 34.5, "BUS": 276.0}
ANY_HALF_HOUR = 50_000.0
DAY_IN_HALF_HOURS = 8
TIMES_USUAL = 20
USUAL = {"RES": 0.5, "BUS": 0.9}  # which of the other days is the usual one
INDEX_DAY = {
    ("ELECTRICITY", "RES"): 276.0,
    ("ELECTRICITY", "BUS"): 2208.0,
    ("GAS", "RES"): 5500.0,
    ("GAS", "BUS"): 70000.0,
}
TIMES_OWN_MEAN, LEAST_DAYS = 10, 14


@dataclass(frozen=True)
class Span:
    """What was used between two reads: from the start of one day to the start of another."""

    start: date
    end: date
    used: float

    @property
    def days(self) -> int:
        return (self.end - self.start).days


Step = Callable[[IndexRead, IndexRead], float | None]


def stepping(reads: Sequence[IndexRead], digits: int | None, class_day: float) -> Step:
    """What was used from one read to a later one, or None if that is not believed."""
    spans = [
        (b.index - a.index) * b.factor / (b.day - a.day).days
        for a, b in pairwise(reads)
        if b.index >= a.index and b.day > a.day
    ]
    limit = max(TIMES_OWN_MEAN * float(np.median(spans)), class_day / 2) if len(spans) > 1 else class_day

    def step(before: IndexRead, after: IndexRead) -> float | None:
        moved = after.index - before.index
        if moved < 0:
            moved += 10 ** (digits or 0)
            if not digits or not 0 <= moved < 10**digits / 2:
                return None
        days = (after.day - before.day).days
        used = moved * after.factor
        return used if days > 0 and used <= limit * max(days, LEAST_DAYS) else None

    return step


def longest(reads: Sequence[IndexRead], step: Step) -> list[IndexRead]:
    """The longest row of reads that agree; of rows as long, the one with the later reads."""
    rows: list[list[IndexRead]] = []
    for n, read in enumerate(reads):
        before = [rows[m] for m in range(n) if step(reads[m], read) is not None]
        best = max(before, key=lambda row: (len(row), row[-1].day), default=[])
        rows.append([*best, read])
    return max(rows, key=lambda row: (len(row), row[-1].day), default=[])


def rows_that_agree(reads: Sequence[IndexRead], step: Step) -> list[list[IndexRead]]:
    """The believed reads, oldest first. More than one row: the index began anew between them."""
    row = longest(reads, step)
    if len(row) < 2:
        return [row] if row else []
    before = [read for read in reads if read.day < row[0].day]
    after = [read for read in reads if read.day > row[-1].day]
    sides = [rows_that_agree(side, step) if len(longest(side, step)) > 1 else [] for side in (before, after)]
    return [*sides[0], row, *sides[1]]


def spans_of(row: Sequence[IndexRead], step: Step) -> list[Span]:
    return [Span(a.day, b.day, step(a, b) or 0.0) for a, b in pairwise(row)]


def believed_half_hours(data: IntervalDays, occupied: np.ndarray, customer_class: str) -> IntervalDays:
    """The same half-hours, those that cannot be as MISSING. What is usual comes from the other days of the account."""
    limit = HALF_HOUR[customer_class]
    present = (data.worth != MISSING) & occupied[:, None]
    kwh = np.where(present, data.kwh, 0.0)
    peaks, totals, known = kwh.max(axis=1), kwh.sum(axis=1), present.any(axis=1)
    suspects = np.flatnonzero(known & ((peaks > limit) | (totals > DAY_IN_HALF_HOURS * limit)))
    if not len(suspects):
        return data
    worth = data.worth.copy()
    for day in suspects:
        others = known.copy()
        others[day] = False
        if others.sum() >= 2:
            usual_peak, usual_day = (
                float(np.quantile(of[others], USUAL[customer_class], method="higher")) for of in (peaks, totals)
            )
            half_hour = max(limit, TIMES_USUAL * usual_peak)
            whole = max(DAY_IN_HALF_HOURS * limit, TIMES_USUAL * usual_day)
        else:
            usual_day = 0.0
            half_hour = limit if customer_class == "RES" else ANY_HALF_HOUR
            whole = DAY_IN_HALF_HOURS * half_hour
        wrong = kwh[day] > min(half_hour, ANY_HALF_HOUR)
        rest, left = kwh[day][~wrong].sum(), 48 - wrong.sum()
        if rest > whole or (wrong.any() and 0 < TIMES_USUAL * usual_day * left / 48 < rest):
            wrong[:] = True
        worth[day][wrong] = MISSING
    return IntervalDays(data.kwh, worth)
