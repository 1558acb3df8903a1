"""Index reads of basic meters: the days of actual reads, and the estimates in between."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np

from local.demo.metered import SUFFIXES, Meter, Metered
from local.demo.scene import Scene
from local.demo.timeline import Flags, Timeline

DAY = timedelta(days=1)
# Business and large meters have more digits, so that they do not roll over by accident.
DIGITS = {"RES": 5, "BUS": 7}


@dataclass(frozen=True)
class IndexRead:
    """An index at the start of a day."""

    serial: str
    stream: str
    day: date
    index: Decimal
    quality: str


def index_reads(metered: Metered, scene: Scene, rng: np.random.Generator) -> list[IndexRead]:
    """Read all registers of the place whenever it was read."""
    found: list[IndexRead] = []
    for stream in metered.values:
        for meter in metered.meters:
            start = int(rng.integers(1000, 50000))
            found.extend(_reads_of_register(metered, stream, meter, start, scene.timeline))
    return found


def _reads_of_register(
    metered: Metered, stream: str, meter: Meter, start: int, timeline: Timeline
) -> Iterator[IndexRead]:
    """The index counts in thousandths of its unit, or finer where a factor divides it."""
    steps = np.concatenate([[0], np.cumsum(metered.values[stream])])

    def used_since_start(day: date) -> Decimal:
        count = int(steps[timeline.at(day)] - steps[timeline.at(meter.start)])
        return count * metered.unit / metered.factor

    modulus = 10 ** DIGITS[metered.place.customer_class]
    offset = Decimal(start)
    if metered.place.rollover:
        offset = modulus - used_since_start(timeline.ago(110)).to_integral_value() - 3
    for day, share in _visits(metered, meter, timeline):
        index = offset + used_since_start(day)
        if share is not None:
            previous, fraction = share
            index = offset + used_since_start(previous)
            index += (used_since_start(day) - used_since_start(previous)) * Decimal(str(round(fraction, 4)))
        quality = "A" if share is None else "E"
        yield IndexRead(meter.serial, stream, day, (index % modulus).quantize(Decimal("0.0001")).normalize(), quality)


Share = tuple[date, float] | None  # an estimate: since the last bill's read, the share of the truth


def _visits(metered: Metered, meter: Meter, timeline: Timeline) -> list[tuple[date, Share]]:
    """Return the days of a meter's reads in order; an actual read goes before an estimate of the same day."""
    removed = None if meter.end is None else meter.end + DAY
    visits: dict[date, Share] = {}
    for tenancy in metered.tenancies:
        visits[tenancy.opened] = None
        for bill in tenancy.bills:
            if bill.issued <= timeline.run_date + DAY:
                share = None if bill.share is None else (bill.start, bill.share)
                visits.setdefault(bill.end + DAY, share)
        for ago in tenancy.tenant.read_ago:
            visits[timeline.ago(ago)] = None
        if tenancy.closed is not None and tenancy.tenant.final_read:
            visits[tenancy.closed + DAY] = None
    visits[meter.start] = None
    if removed is not None:
        visits[removed] = None
    inside = (day for day in visits if day >= meter.start and (removed is None or day <= removed))
    return [(day, visits[day]) for day in sorted(inside)]


def known_days(reads: list[IndexRead], stream: str, unbilled: Flags, timeline: Timeline) -> Flags:
    """Return the days between two actual reads of one register that both bound nothing but unbilled days."""
    known = np.zeros_like(unbilled)
    by_serial: dict[str, list[date]] = {}
    for read in reads:
        if read.stream == stream and read.quality == "A":
            by_serial.setdefault(read.serial, []).append(read.day)
    for days in by_serial.values():
        for before, after in pairwise(days):
            span = timeline.span(before, after - DAY)
            if (unbilled | ~span).all():
                known |= span
    return known


def register_rows(metered: Metered) -> Iterator[tuple[object, ...]]:
    """Yield the registers.csv rows of a basic or gas place."""
    place = metered.place
    uom = "MJ" if place.kind == "GAS" else "KWH"
    for meter in metered.meters:
        for number, stream in enumerate(metered.values, start=1):
            suffix = SUFFIXES[place.kind][stream]
            digits = DIGITS[place.customer_class]
            register = (meter.serial, f"{number:02}", suffix, stream, "BASIC", uom, digits, meter.start, meter.end)
            yield (metered.site_id, *register)
