"""What the fields of a meter data file may contain, and the types for a file that was read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NoReturn

from nemreader.nem_reader import parse_datetime

from shared.errors import InvalidInput
from shared.metering.nmi import NMI_LENGTH, parse_nmi

INTERVAL_MINUTES = (5, 15, 30)
OLD_INTERVAL_MINUTES = 10  # in samples from before the specification settled on 5, 15 and 30
MAX_DECIMALS = 9  # of any unit; interval_store checks whether they fit the store
UNITS = frozenset(
    "MWH KWH WH MVARH KVARH VARH MVAR KVAR VAR MW KW W MVAH KVAH VAH MVA KVA VA KV V KA A PF".split()  # noqa: SIM905
)

_THREE_DECIMALS = re.compile(r"(?:\d+\.\d{3},)*\d+\.\d{3}", re.ASCII)
_NUMBER = re.compile(r"(\d*)(?:\.(\d*))?", re.ASCII)
_QUALITY = re.compile(r"([AESFNV])(\d\d)?", re.ASCII)

QualityRuns = tuple[tuple[int, int, str], ...]  # first and last interval, counted from 1, and quality with method


@dataclass(frozen=True, slots=True)
class ReadDay:
    """One 300 record with its 400 records: values / 10^scale are in uom, one per interval; missing ones are 0, N."""

    nmi: str
    suffix: str
    meter_serial: str
    register_id: str
    uom: str
    interval_minutes: int
    day: date
    scale: int
    values: list[int]
    quality_runs: QualityRuns
    updated: datetime
    line: int

    def total(self) -> Decimal:
        """Sum the day, in uom, exactly."""
        return Decimal(sum(self.values)).scaleb(-self.scale)

    def same_reads(self, other: "ReadDay") -> bool:
        """Tell whether another version of the day has the same values, whatever their decimals."""
        scale = max(self.scale, other.scale)
        return (self.uom, self.quality_runs, [value * 10 ** (scale - self.scale) for value in self.values]) == (
            other.uom,
            other.quality_runs,
            [value * 10 ** (scale - other.scale) for value in other.values],
        )


@dataclass(frozen=True, slots=True)
class Accumulation:
    """One 250 record: what a basic register measured between two reads; quantity is in uom, reads keep their zeros."""

    nmi: str
    suffix: str
    meter_serial: str
    register_id: str
    uom: str
    previous_read: str
    previous_at: datetime
    current_read: str
    current_at: datetime
    quality: str
    quantity: Decimal
    line: int


@dataclass
class MeterDataFile:
    """The contents of a file: the newest version of each day, or the accumulations of a NEM13 file, and warnings."""

    name: str
    version: str = ""
    created: datetime = datetime.min  # noqa: DTZ901 - market time has no zone in these files
    days: list[ReadDay] = field(default_factory=list)
    accumulations: list[Accumulation] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def totals(self) -> dict[tuple[str, str], Decimal]:
        """Sum each NMI and suffix, exactly, in the unit that the file gives it in."""
        totals: dict[tuple[str, str], Decimal] = {}
        for day in self.days:
            totals[day.nmi, day.suffix] = totals.get((day.nmi, day.suffix), Decimal(0)) + day.total()
        for read in self.accumulations:
            totals[read.nmi, read.suffix] = totals.get((read.nmi, read.suffix), Decimal(0)) + read.quantity
        return totals


class Fields:
    """Checks single fields of the current record: returns their value, refuses the file, or notes a warning."""

    def __init__(self, name: str) -> None:
        self.file = MeterDataFile(name)
        self.line = 1

    def nmi(self, text: str) -> str:
        nmi = text.strip()
        if not nmi:
            self.refuse("the NMI is empty")
        if len(nmi) > NMI_LENGTH:
            try:
                return parse_nmi(nmi)
            except InvalidInput as error:
                self.refuse(str(error))
        if len(nmi) < NMI_LENGTH:
            self.warn(f"NMI {nmi!r} is shorter than {NMI_LENGTH} characters")
        return nmi

    def unit(self, text: str) -> str:
        unit = text.strip().upper()
        if unit not in UNITS:
            self.refuse(f"{text!r} is not a unit of measure")
        return unit

    def interval_minutes(self, text: str) -> int:
        minutes = int(text) if text.strip().isdecimal() else 0
        if minutes == OLD_INTERVAL_MINUTES:
            self.warn("intervals of 10 minutes are from old samples: summed to half-hours")
        elif minutes not in INTERVAL_MINUTES:
            self.refuse(f"IntervalLength {text!r} is not 5, 15 or 30")
        return minutes

    def day_of(self, text: str) -> date:
        moment = moment_of(text.strip())
        if len(text.strip()) != 8 or moment is None:
            self.refuse(f"IntervalDate {text!r} is not a date CCYYMMDD")
        return moment.date()

    def timestamp(self, text: str, what: str) -> datetime:
        moment = moment_of(text.strip())
        if moment is None:
            self.refuse(f"{what} {text!r} is not a date and time CCYYMMDDhhmmss")
        return moment

    def updated(self, text: str) -> datetime:
        if text.strip():
            return self.timestamp(text, "UpdateDateTime")
        self.warn("no UpdateDateTime: the file's own DateTime is taken")
        return self.file.created

    def values(self, texts: list[str]) -> tuple[int, list[int], list[int]]:
        """Decode a 300 record's values exactly: their scale, the values x 10^scale, the intervals that are empty."""
        joined = ",".join(texts)
        if _THREE_DECIMALS.fullmatch(joined):  # as nearly every file has them
            return 3, list(map(int, joined.replace(".", "").split(","))), []
        parts = [self.decimal_parts(text.strip(), index) for index, text in enumerate(texts, start=1)]
        scale = max((len(part[1]) for part in parts if part), default=0)
        missing = [index for index, part in enumerate(parts, start=1) if part is None]
        if missing:
            self.warn(f"{len(missing)} value(s) are empty, interval {missing[0]} first: missing, not 0")
        if any(part and not part[0] for part in parts):
            self.warn("value(s) without a digit before the point")
        return scale, [int(part[0] + part[1].ljust(scale, "0") or "0") if part else 0 for part in parts], missing

    def decimal_parts(self, text: str, index: int) -> tuple[str, str] | None:
        """Split a value at its point, without the zeros behind it; None when it is empty."""
        if not text:
            return None
        match = _NUMBER.fullmatch(text)
        if match is None or text == ".":
            self.refuse(f"value {text!r} of interval {index} is not a plain number of 0 or more")
        fraction = (match[2] or "").rstrip("0")
        if len(fraction) > MAX_DECIMALS:
            self.refuse(f"value {text!r} of interval {index} has more than {MAX_DECIMALS} decimals")
        return match[1], fraction

    def number(self, text: str, what: str) -> Decimal:
        if not _NUMBER.fullmatch(text.strip()) or not text.strip(". "):
            self.refuse(f"{what} {text!r} is not a plain number of 0 or more")
        return Decimal(text.strip())

    def quality(self, text: str, reason: str, description: str) -> str:
        """Check a QualityMethod with its reason: what is not a quality is refused, a field too many or few is odd."""
        quality = text.strip().upper()
        match = _QUALITY.fullmatch(quality)
        if match is None:
            self.refuse(f"quality {text!r} is not one of A, E, S, F, N or V with its method")
        flag, method = match[1], match[2]
        if reason.strip() and not reason.strip().isdecimal():
            self.refuse(f"reason code {reason!r} is not a number")
        if flag in "ESF" and method is None:
            self.warn(f"quality {flag} without its method")
        if flag in "AV" and method is not None:
            self.warn(f"quality {flag} has no method, {quality} was given")
            quality = flag
        if flag in "SF" and not reason.strip():
            self.warn(f"quality {quality} without a reason")
        if flag == "E" and (reason.strip() or description.strip()):
            self.warn(f"quality {quality} has no reason, {reason or description} was given")
        if flag == "N":
            self.warn("quality N is from old files: the intervals are missing")
        return quality

    def need(self, row: Sequence[str], fields: int, indicator: str) -> None:
        if len(row) < fields:
            self.refuse(f"the {indicator} record has {len(row)} fields, it needs {fields}: it is cut off")

    def need_no_more(self, row: Sequence[str], fields: int, indicator: str) -> None:
        if any(cell.strip() for cell in row[fields:]):
            self.refuse(f"the {indicator} record has {len(row)} fields, it has {fields} at most")

    def refuse(self, reason: str, line: int | None = None) -> NoReturn:
        raise InvalidInput(f"{self.file.name}:{line or self.line}: {reason}")

    def warn(self, text: str, line: int | None = None) -> None:
        self.file.warnings.append(f"{self.file.name}:{line or self.line}: {text}")


@lru_cache(maxsize=8192)
def moment_of(text: str) -> datetime | None:
    return parse_datetime(text) if text.isdecimal() else None
