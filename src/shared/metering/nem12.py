"""Writes meter data files (AEMO Meter Data File Format, NEM12, v2.6): what a run estimated, one file per NMI.

Strict, and with the same bytes for the same input: the only time in a file is its run's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from shared.errors import InvalidInput
from shared.metering.nmi import parse_nmi

HALF_HOURS = 48
FROM_PARTICIPANT = "BUA"
TO_PARTICIPANT = "RETAILER"
LINE_END = "\r\n"
WATT_HOURS = Decimal("0.001")

# How a half-hour's quality is written: QualityMethod, ReasonCode, ReasonDescription. Method 57 is "customer class". A
# substitute that was read before keeps its quality. Profiles do not contain its method, but S and F must have one with
# a reason: 55 is "agreed", reason 0 is free text.
QUALITY_FIELDS = {
    "A": ("A", "", ""),
    "S": ("S55", "0", "Substituted before the accrual"),
    "F": ("F55", "0", "Finally substituted before the accrual"),
    "E": ("E57", "", ""),
}


@dataclass(frozen=True, slots=True)
class EstimatedDay:
    """One row of bua.generate_nem12_days: a market day of a register, what was missing now estimated.

    half_hours are kWh, exact to 3 decimals; qualities has 48 characters of A, S, F (known before) and E (our estimate).
    """

    nmi: str
    suffix: str
    meter_serial: str
    register_id: str
    day: date
    half_hours: Sequence[Decimal]
    qualities: str


def write_nem12(days: Iterable[EstimatedDay], run_date: date) -> bytes:
    """Write the file of one NMI, all its suffixes and days, in order of suffix, register and day.

    Raises InvalidInput, naming NMI, suffix and day, for what a strict reader would refuse.
    """
    ordered = sorted(days, key=lambda day: (day.suffix, day.meter_serial, day.register_id, day.day))
    _check(ordered)
    lines = [f"100,NEM12,{run_date:%Y%m%d}0000,{FROM_PARTICIPANT},{TO_PARTICIPANT}"]
    nmi = parse_nmi(ordered[0].nmi)
    configuration = "".join(sorted({day.suffix for day in ordered}))
    for register, register_days in groupby(ordered, key=lambda day: (day.suffix, day.meter_serial, day.register_id)):
        suffix, meter_serial, register_id = register
        lines.append(f"200,{nmi},{configuration},{register_id},{suffix},,{meter_serial},KWH,30,")
        for day in register_days:
            lines.extend(_day_lines(day, run_date))
    lines.append("900")
    return (LINE_END.join(lines) + LINE_END).encode("ascii")


def _day_lines(day: EstimatedDay, run_date: date) -> list[str]:
    values = ",".join(f"{value:.3f}" for value in day.half_hours)
    runs = quality_runs(day.qualities)
    whole_day = QUALITY_FIELDS[day.qualities[0]] if len(runs) == 1 else ("V", "", "")
    lines = [f"300,{day.day:%Y%m%d},{values},{','.join(whole_day)},{run_date:%Y%m%d}000000,"]
    if len(runs) > 1:
        lines += [f"400,{first},{last},{','.join(QUALITY_FIELDS[quality])}" for first, last, quality in runs]
    return lines


def is_writable(text: str) -> bool:
    """Tell whether a text can stand in a field of a meter data file, which knows no quotes."""
    return text.isascii() and text.isprintable() and "," not in text and '"' not in text


def quality_runs(qualities: Iterable[str]) -> tuple[tuple[int, int, str], ...]:
    """Split a day into runs of one quality: first and last interval, counted from 1, and the quality."""
    runs = []
    first = 1
    for quality, members in groupby(qualities):
        last = first + len(list(members)) - 1
        runs.append((first, last, quality))
        first = last + 1
    return tuple(runs)


def _check(days: list[EstimatedDay]) -> None:
    if not days:
        raise InvalidInput("a meter data file needs at least one day")
    seen: set[tuple[str, date]] = set()
    for day in days:
        where = f"NMI {day.nmi} suffix {day.suffix} on {day.day}"
        if day.nmi != days[0].nmi:
            raise InvalidInput(f"{where}: a file has only one NMI, this one is for {days[0].nmi}")
        if (day.suffix, day.day) in seen:
            raise InvalidInput(f"{where}: the day occurs twice")
        seen.add((day.suffix, day.day))
        _check_day(day, where)


def _check_day(day: EstimatedDay, where: str) -> None:
    if len(day.half_hours) != HALF_HOURS or len(day.qualities) != HALF_HOURS:
        raise InvalidInput(f"{where}: {len(day.half_hours)} half-hours with {len(day.qualities)} qualities, not 48")
    if not QUALITY_FIELDS.keys() >= set(day.qualities):
        raise InvalidInput(f"{where}: qualities {day.qualities} are not all of {', '.join(QUALITY_FIELDS)}")
    for value in day.half_hours:
        if not value.is_finite() or value < 0 or value != value.quantize(WATT_HOURS):
            raise InvalidInput(f"{where}: {value} kWh is not a quantity of whole watt-hours")
    for text in (day.suffix, day.meter_serial, day.register_id):
        if not is_writable(text):
            raise InvalidInput(f"{where}: {text!r} cannot be written into a meter data file")
