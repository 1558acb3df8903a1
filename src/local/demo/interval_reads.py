"""The part of the truth that a retailer sees of interval meters: missing days, estimates, substitutes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np

from local.demo.metered import SUFFIXES, Meter, Metered
from local.demo.scene import Scene
from local.demo.timeline import HALF_HOURS, Flags, Integers, Timeline

# What is delivered of a marked day: spans of half-hours, and quality with method. V days are the ones of several spans.
SPANS = {
    "E": ((1, 48, "E52"),),
    "S": ((1, 48, "S53"),),
    "F": ((1, 48, "F53"),),
    "N": ((1, 48, "N"),),
    "V_MISSING": ((1, 30, "A"), (31, 40, "N"), (41, 48, "A")),
    "V_KNOWN": ((1, 10, "A"), (11, 30, "S53"), (31, 48, "F53")),
    "V_ESTIMATED": ((1, 20, "A"), (21, 36, "E52"), (37, 48, "A")),
    "REDELIVERED": ((1, 48, "E52"),),
}
ACTUAL = ((1, 48, "A"),)


@dataclass(frozen=True)
class ReadDay:
    """A future 300 record: one value per interval of the register's length, and the spans of its qualities."""

    day: date
    values: Integers
    spans: tuple[tuple[int, int, str], ...]  # in half-hours
    updated: datetime


@dataclass(frozen=True)
class Channel:
    """A register's delivered days; corrections arrived in a later file."""

    stream: str
    suffix: str
    meter: Meter
    days: list[ReadDay]
    corrections: list[ReadDay]


def channels(metered: Metered, scene: Scene, rng: np.random.Generator) -> Iterator[Channel]:
    """Deliver the place's reads, register by register."""
    timeline = scene.timeline
    marks = marked_days(metered, timeline)
    for stream, truth in metered.values.items():
        noise = rng.uniform(0.7, 1.3, truth.shape)
        values = _as_delivered(truth, noise, marks, timeline)
        delivered = delivered_days(metered, stream, timeline)
        intervals = _split(values, metered.place.minutes, rng)
        true_intervals = _split(truth, metered.place.minutes, rng)
        for meter in metered.meters:
            mine = delivered & timeline.span(meter.start, meter.end or timeline.accrual)
            numbers = np.flatnonzero(mine).tolist()
            days = [_read_day(timeline.days[n], intervals[n], marks.get(timeline.days[n])) for n in numbers]
            late = [
                _read_day(timeline.days[n], true_intervals[n], None, days_later=6)
                for n in numbers
                if marks.get(timeline.days[n]) == "REDELIVERED"
            ]
            yield Channel(stream, SUFFIXES["INTERVAL"][stream], meter, days, late)


def marked_days(metered: Metered, timeline: Timeline) -> dict[date, str]:
    """Return the days that were not simply actual."""
    return {timeline.ago(ago): mark for (first, last), mark in metered.place.marks for ago in range(last, first + 1)}


def delivered_days(metered: Metered, stream: str, timeline: Timeline) -> Flags:
    """Return a flag per market day: a record came, in whatever quality."""
    last = max(tenancy.closed or timeline.accrual for tenancy in metered.tenancies)
    first = max(timeline.months_ago(metered.place.read_months), metered.meters[0].start)
    flags = timeline.span(first, min(last + timedelta(days=1), timeline.accrual))
    for first_ago, last_ago in metered.place.missing:
        flags &= ~timeline.span(timeline.ago(first_ago), timeline.ago(last_ago))
    if stream in metered.place.never_read:
        flags[:] = False
    return flags


def known_half_hours(metered: Metered, stream: str, timeline: Timeline) -> Flags:
    """Return a flag per market half-hour (day x 48): its value came, and not as an estimate."""
    known = np.repeat(delivered_days(metered, stream, timeline)[:, np.newaxis], HALF_HOURS, axis=1)
    for day, mark in marked_days(metered, timeline).items():
        for first, last, quality in SPANS[mark]:
            if quality[0] in "EN" and mark != "REDELIVERED":
                known[timeline.at(day), first - 1 : last] = False
    return known


def _as_delivered(truth: Integers, noise: np.ndarray, marks: dict[date, str], timeline: Timeline) -> Integers:
    """Distort estimated values and blank missing ones."""
    values = truth.copy()
    for day, mark in marks.items():
        row = timeline.at(day)
        for first, last, quality in SPANS[mark]:
            part = slice(first - 1, last)
            if quality[0] == "E":
                values[row, part] = np.rint(truth[row, part] * noise[row, part]).astype(np.int64)
            elif quality == "N":
                values[row, part] = 0
    return values


def _split(values: Integers, minutes: int, rng: np.random.Generator) -> Integers:
    """Divide half-hours into shorter intervals and keep the sum."""
    parts = 30 // minutes
    if parts == 1:
        return values
    shares = np.cumsum(rng.uniform(0.5, 1.5, (*values.shape, parts)), axis=-1)
    cuts = np.floor(shares / shares[..., -1:] * values[..., np.newaxis]).astype(np.int64)
    cuts[..., -1] = values
    pieces: Integers = np.diff(cuts, axis=-1, prepend=0)
    return pieces.reshape(len(values), -1)


def _read_day(day: date, values: Integers, mark: str | None, *, days_later: int = 1) -> ReadDay:
    updated = datetime.combine(day + timedelta(days=days_later), time(2))
    return ReadDay(day, values, SPANS[mark] if mark else ACTUAL, updated)


def register_rows(metered: Metered) -> Iterator[tuple[object, ...]]:
    """Yield the registers.csv rows of an interval place."""
    for meter in metered.meters:
        for stream in metered.values:
            suffix = SUFFIXES["INTERVAL"][stream]
            register = (
                meter.serial,
                suffix,
                suffix,
                stream,
                "INTERVAL",
                metered.place.uom,
                None,
                meter.start,
                meter.end,
            )
            yield (metered.site_id, *register)
