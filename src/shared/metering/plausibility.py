"""Which interval reads cannot be: more than a supply gives, and far more than the register itself uses.

A half-hour is not believed above its limit: that of its customer class, or `factor` times the register's usual daily
peak where that is more; never above `any_half_hour`. A day is not believed above its own: `day_half_hours` at the
class's limit, or `factor` times the register's usual day. Nor is one of whose half-hours some are not believed and the
rest is out of proportion too: a day in the wrong unit.

What is usual is the lower median over a home's days, and the ninth decile over a business's, whose season may be
short: neither follows the few days that are wrong. A register with less than two days has only the limit of its class;
a business, whose class says little, only the one that holds for all.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.metering.interval_store import HALF_HOURS, SiteDays

HOME = "RES"
MICRO = 10**6
_USUAL_SHARE = {True: 0.5, False: 0.9}  # of the days, by whether it is a home
_HALF_HOURS = np.arange(HALF_HOURS)

Positions = npt.NDArray[np.intp]
Energy = npt.NDArray[np.int64]  # in micro-kWh


class Limits(NamedTuple):
    """The rows of bua.parameter named implausible_<field>, in kWh, and how they are to be read."""

    res_half_hour: Decimal
    bus_half_hour: Decimal
    any_half_hour: Decimal
    day_half_hours: Decimal
    factor: Decimal


class Implausible(NamedTuple):
    """A register's day with half-hours that are not believed; value and limit are of its largest half-hour or of the day."""

    position: int  # in SiteDays
    half_hours: list[int]  # counted from 1
    kwh: list[Decimal]
    qualities: str  # of those half-hours
    value: Decimal
    limit: Decimal
    reason: str  # HALF_HOURS or DAY


def judge(days: SiteDays, positions: Positions, limits: Limits, customer_class: str) -> list[Implausible]:
    """Find the half-hours of one register, whose days are at these positions, that cannot be."""
    is_home = customer_class == HOME
    floor = _micro(limits.res_half_hour if is_home else limits.bus_half_hour)
    day_floor = int(limits.day_half_hours * floor)
    energy = _energy(days, positions)
    totals = days.totals[positions]
    if not positions.size or (energy.max() <= floor and totals.max() <= day_floor):
        return []  # almost every register
    usable = _bits(days.excluded[positions]) == 0
    usual_peak = _usual(np.where(usable, energy, 0).max(axis=1)[usable.any(axis=1)], is_home=is_home)
    usual_day = _usual(totals[usable.all(axis=1)], is_home=is_home)
    top = _micro(limits.any_half_hour)
    limit = _limit(floor, usual_peak, limits.factor, floor if is_home else top, top)
    day_limit = _limit(
        day_floor, usual_day, limits.factor, day_floor if is_home else top * HALF_HOURS, top * HALF_HOURS
    )
    bad = energy > limit
    rest = totals - np.where(bad, energy, 0).sum(axis=1)
    whole = rest > day_limit
    if usual_day is not None:
        left = HALF_HOURS - bad.sum(axis=1)
        whole |= bad.any(axis=1) & (rest * HALF_HOURS > int(limits.factor * usual_day) * left)
    taken = np.where(whole[:, np.newaxis], _bits(days.missing[positions]) == 0, bad)
    return [
        _implausible(
            days,
            int(positions[row]),
            energy[row],
            taken[row],
            day_limit if whole[row] else limit,
            is_day=bool(whole[row]),
        )
        for row in np.flatnonzero(taken.any(axis=1))
    ]


def without(days: SiteDays, found: Iterable[Implausible]) -> SiteDays:
    """Take half-hours that are not believed as missing."""
    half_hours, qualities, totals = days.half_hours.copy(), list(days.qualities), days.totals.copy()
    excluded, missing = days.excluded.copy(), days.missing.copy()
    for one in found:
        row = one.position
        taken = np.array(one.half_hours) - 1
        totals[row] -= sum(_micro(kwh) for kwh in one.kwh)
        half_hours[row, taken] = 0
        mask = int((np.int64(1) << taken).sum())
        excluded[row] |= mask
        missing[row] |= mask
        qualities[row] = "".join("N" if mask >> h & 1 else quality for h, quality in enumerate(qualities[row]))
    return replace(days, half_hours=half_hours, qualities=qualities, totals=totals, excluded=excluded, missing=missing)


def _implausible(
    days: SiteDays, position: int, energy: Energy, taken: npt.NDArray[np.bool_], limit: int, *, is_day: bool
) -> Implausible:
    half_hours = np.flatnonzero(taken)
    kwh = [_kwh(int(energy[h])) for h in half_hours]
    return Implausible(
        position=position,
        half_hours=[int(h) + 1 for h in half_hours],
        kwh=kwh,
        qualities="".join(days.qualities[position][h] for h in half_hours),
        value=sum(kwh, Decimal(0)) if is_day else max(kwh),
        limit=_kwh(limit),
        reason="DAY" if is_day else "HALF_HOURS",
    )


def _energy(days: SiteDays, positions: Positions) -> Energy:
    factors = 10 ** (6 - days.scales[positions].astype(np.int64))
    return days.half_hours[positions].astype(np.int64) * factors[:, np.newaxis]


def _usual(values: Energy, *, is_home: bool) -> int | None:
    """Of a register's days, one that few are above; None when there are too few days to say."""
    if len(values) < 2:
        return None
    place = int(_USUAL_SHARE[is_home] * (len(values) - 1))
    return int(np.partition(values, place)[place])


def _limit(floor: int, usual: int | None, factor: Decimal, unknown: int, top: int) -> int:
    return min(top, unknown if usual is None else max(floor, int(factor * usual)))


def _bits(masks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    bits: npt.NDArray[np.int64] = masks[:, np.newaxis] >> _HALF_HOURS & 1
    return bits


def _micro(kwh: Decimal) -> int:
    return int(kwh * MICRO)


def _kwh(micro: int) -> Decimal:
    return Decimal(micro).scaleb(-6).normalize() + 0
