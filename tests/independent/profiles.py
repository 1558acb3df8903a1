"""Segment profiles (docs/arithmetic.md, "How many units" and "The weights of a profile"): averages, marks, fills, giants."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from tests.independent.folder import READ, IntervalDays, Register

MIN_SITES, LOW, HIGH, EITHER_SIDE = 5, 1 / 3, 3, 7
GIANT = 20
FILL_REACH = 45  # days: beyond them the equivalent days of last year are nearer in season

Segment = tuple[str, str, str]
Member = tuple[Register, np.ndarray, IntervalDays]  # with the days on which an account of the segment has it


@dataclass
class Profile:
    """One segment's half-hours [days, 48] as averaged, its marks, and the same with the marked entries filled."""

    average: np.ndarray
    marked: np.ndarray
    filled: np.ndarray
    giants: set[Register]
    giant_day: float  # a register with a larger mean day is a giant

    @property
    def macro(self) -> np.ndarray:
        return self.filled.sum(axis=1)


@dataclass
class Macro:
    """Daily total to scale by, the days of it that rest on a marked entry, and the half-hour shape (electricity)."""

    daily: np.ndarray
    doubtful: np.ndarray
    profile: Profile | None = None
    degrees: np.ndarray | None = None  # degree-days, of a gas zone with temperatures


def profile_of(members: list[Member], day_types: np.ndarray, first: int = 0) -> Profile:
    """The profile of the days from `first` on; nothing is known of those before it."""
    giants, giant_day = giants_among(members)
    weights = weights_of([member for member in members if member[0] not in giants])
    shape = (len(day_types), 48)
    total, weight, count = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=int)
    by_site: dict[str, np.ndarray] = {}
    for register, occupied, data in members:
        if register in giants:
            continue
        usable = (data.worth == READ) & occupied[:, None]
        total += np.where(usable, data.kwh, 0)
        weight += usable * weights[register]
        count += usable
        by_site[register.site] = by_site.get(register.site, False) | usable
    average = np.where(weight > 0, total / np.where(weight > 0, weight, 1), 0)
    average[count == 0] = np.nan
    sites = sum(usable.astype(int) for usable in by_site.values()) if by_site else count
    marked = (sites < MIN_SITES) | outliers(average)
    filled = fill(average, marked, day_types)
    filled[:first] = np.nan
    return Profile(average, marked, filled, giants, giant_day)


def weights_of(members: list[Member]) -> dict[Register, float]:
    """What each register uses when the average register uses one: 1 without a complete day, 0 without use."""
    used: dict[Register, np.ndarray] = {}  # kWh of each complete day under the segment's accounts, nan on the others
    for register, occupied, data in members:
        days = np.where(data.complete & occupied, data.kwh.sum(axis=1), np.nan)
        before = used.get(register, np.full(len(days), np.nan))
        used[register] = np.where(np.isnan(before), days, before)
    known = {register: days for register, days in used.items() if not np.isnan(days).all()}
    if not known:
        return dict.fromkeys(used, 1.0)
    means = {register: float(np.nanmean(days)) for register, days in known.items()}
    overall = float(np.mean(list(means.values()))) if means else 0.0
    weights = {register: mean / overall if overall else 0.0 for register, mean in means.items()}
    for _ in range(2):
        profile = weighted_days(known, weights)
        for register, days in known.items():
            total = profile[~np.isnan(days)].sum()
            weights[register] = float(np.nansum(days) / total) if total else 0.0
    return {register: round(weights.get(register, 1.0), 6) for register in used}


def weighted_days(known: dict[Register, np.ndarray], weights: dict[Register, float]) -> np.ndarray:
    days = np.array(list(known.values()))
    weight = (~np.isnan(days) * np.array([weights[register] for register in known])[:, None]).sum(axis=0)
    return np.where(weight > 0, np.nansum(days, axis=0) / np.where(weight > 0, weight, 1), 0.0)


def giants_among(members: list[Member]) -> tuple[set[Register], float]:
    """The giants, and the mean day from which a register is one."""
    sums: dict[Register, list[float]] = defaultdict(lambda: [0.0, 0])
    for register, occupied, data in members:
        days = data.complete & occupied
        sums[register][0] += data.kwh[days].sum()
        sums[register][1] += int(days.sum())
    means = {register: total / days for register, (total, days) in sums.items() if days}
    limit = GIANT * float(np.median(list(means.values()))) if means else np.inf
    return {register for register, mean in means.items() if mean > limit}, limit


def fill(average: np.ndarray, marked: np.ndarray, types: np.ndarray) -> np.ndarray:
    """From the nearest sound day of the same type, then from last year's; what nothing can fill stays as it is.

    A public holiday that no other holiday can stand in for has a weekend day.
    """
    filled, wanted, count = average.copy(), marked.copy(), len(average)
    steps = [year + way * n for year in (0, -364) for n in range(FILL_REACH + 1) for way in (-1, 1)]
    for step, weekend in [(step, weekend) for weekend in (False, True) for step in steps if step]:
        day = np.arange(max(0, -step), max(0, min(count, count - step)))
        alike = (types[day] == "H") & (types[day + step] == "E") if weekend else types[day] == types[day + step]
        usable = wanted[day] & ~marked[day + step] & alike[:, None]
        filled[day] = np.where(usable, average[day + step], filled[day])
        wanted[day] &= ~usable
    return filled


def outliers(average: np.ndarray) -> np.ndarray:
    """Half-hours below a third or above three times the median of the same half-hour on the seven days either side."""
    padded = np.pad(average, ((EITHER_SIDE, EITHER_SIDE), (0, 0)), constant_values=np.nan)
    steps = [s for s in range(-EITHER_SIDE, EITHER_SIDE + 1) if s]
    around = np.stack([padded[EITHER_SIDE + s : EITHER_SIDE + s + len(average)] for s in steps])
    empty = np.isnan(around).all(axis=0)
    around[:, empty] = 0
    median = np.where(empty, np.nan, np.nanmedian(around, axis=0))
    return np.isnan(average) | (average < median * LOW) | (average > median * HIGH)
