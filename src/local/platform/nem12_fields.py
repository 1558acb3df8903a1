"""What the fields of a meter data file may contain, and the types for a file that was read."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NoReturn

from nemreader.nem_reader import parse_datetime

from local.platform.text import shown, upper, whole
from shared.errors import InvalidInput
from shared.metering.interval_store import MAX_SCALE
from shared.metering.nmi import NMI_LENGTH, parse_nmi

INTERVAL_MINUTES = (5, 15, 30)
OLD_INTERVAL_MINUTES = 10  # in samples from before the specification settled on 5, 15 and 30
YEARS = range(1970, 2101)
# The units that are energy, and how many decimals of kWh their decimals are more. Only energy is billed.
ENERGY = {"WH": 3, "KWH": 0, "MWH": -3}
UNITS = frozenset(
    "MWH KWH WH MVARH KVARH VARH MVAR KVAR VAR MW KW W MVAH KVAH VAH MVA KVA VA KV V KA A PF".split()  # noqa: SIM905
)
MAX_DIGITS = 15  # before the point
FAULTS_SHOWN = 20

_THREE_DECIMALS = re.compile(r"(?:\d{1,9}\.\d{3},)*\d{1,9}\.\d{3}", re.ASCII)
_VALUE = re.compile(r"(\d*)(?:\.(\d*))?", re.ASCII)
_NUMBER = re.compile(r"-?(\d{1,15}(\.\d{0,12})?|\.\d{1,12})", re.ASCII)
_QUALITY = re.compile(r"([AESFNV])(\d\d)?", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)

QualityRuns = tuple[tuple[int, int, str], ...]  # first and last interval, counted from 1, and quality with method


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file is refused; line 0 is the file as a whole."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


class MeterDataRefused(InvalidInput):
    """Meter data files that cannot be taken, with all that was found in them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        lines = [str(fault) for fault in self.faults[:FAULTS_SHOWN]]
        if len(self.faults) > FAULTS_SHOWN:
            lines.append(f"... and {len(self.faults) - FAULTS_SHOWN} more")
        super().__init__("\n".join(lines))


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
        """Tell whether another version of the day says the same, in whatever decimals and unit of energy."""
        scale = max(self.kwh_scale, other.kwh_scale)
        return (self.quality_runs, [value * 10 ** (scale - self.kwh_scale) for value in self.values]) == (
            other.quality_runs,
            [value * 10 ** (scale - other.kwh_scale) for value in other.values],
        )

    @property
    def kwh_scale(self) -> int:
        """values / 10^kwh_scale are kWh."""
        return self.scale + ENERGY[self.uom]


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
    """What a file held: the newest version of each day, or the accumulations of a NEM13 file, and what was odd.

    passed_over has the channels that are not energy, NMI, suffix and unit, with the line that names them first.
    """

    name: str
    version: str = ""
    created: datetime = datetime.min  # noqa: DTZ901 - market time has no zone in these files
    days: list[ReadDay] = field(default_factory=list)
    accumulations: list[Accumulation] = field(default_factory=list)
    passed_over: dict[tuple[str, str, str], int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def remarks(self) -> list[str]:
        """Say what was odd, and what was passed over because it is not energy."""
        channels = (
            f"{self.name}:{line}: {suffix} of {nmi} is in {unit}, which is not energy: passed over"
            for (nmi, suffix, unit), line in self.passed_over.items()
        )
        return [*self.warnings, *channels]

    def totals(self) -> dict[tuple[str, str], Decimal]:
        """Sum each NMI and suffix, exactly, in the unit that the file gives it in."""
        totals: dict[tuple[str, str], Decimal] = {}
        for day in self.days:
            totals[day.nmi, day.suffix] = totals.get((day.nmi, day.suffix), Decimal(0)) + day.total()
        for read in self.accumulations:
            totals[read.nmi, read.suffix] = totals.get((read.nmi, read.suffix), Decimal(0)) + read.quantity
        return totals


class Fields:
    """Checks single fields of the current record: returns their value, refuses the file, or notes a warning.

    The fields come trimmed.
    """

    def __init__(self, name: str) -> None:
        self.file = MeterDataFile(name)
        self.line = 1

    def nmi(self, text: str) -> str:
        nmi = upper(text)
        if not nmi:
            self.refuse("the NMI is empty")
        if len(nmi) > NMI_LENGTH:
            try:
                return parse_nmi(nmi)
            except InvalidInput as error:
                self.refuse(str(error))
        if len(nmi) < NMI_LENGTH:
            self.warn(f"NMI {shown(nmi)} is shorter than {NMI_LENGTH} characters")
        return nmi

    def suffix(self, text: str) -> str:
        suffix = upper(text)
        if not re.fullmatch(r"[A-Z0-9]{2}", suffix):
            self.refuse(f"NMI suffix {shown(text)} is not two characters, letters and digits")
        return suffix

    def unit(self, text: str) -> str:
        unit = upper(text)
        if unit not in UNITS:
            self.refuse(f"{shown(text)} is not a unit of measure: energy is in WH, KWH or MWH")
        return unit

    def interval_minutes(self, text: str) -> int:
        minutes = whole(text) or 0
        if minutes == OLD_INTERVAL_MINUTES:
            self.warn("intervals of 10 minutes are from old samples: summed to half-hours")
        elif minutes not in INTERVAL_MINUTES:
            self.refuse(f"IntervalLength {shown(text)} is not 5, 15 or 30")
        return minutes

    def day_of(self, text: str) -> date:
        moment = moment_of(text)
        if len(text) != 8 or moment is None:
            self.refuse(f"IntervalDate {shown(text)} is not a date CCYYMMDD")
        if moment.year not in YEARS:
            self.refuse(f"IntervalDate {text} is outside {YEARS[0]} to {YEARS[-1]}")
        return moment.date()

    def timestamp(self, text: str, what: str) -> datetime:
        moment = moment_of(text)
        if moment is None:
            self.refuse(f"{what} {shown(text)} is not a date and time CCYYMMDDhhmmss")
        return moment

    def updated(self, text: str) -> datetime:
        if text:
            return self.timestamp(text, "UpdateDateTime")
        self.warn("no UpdateDateTime: the file's own DateTime is taken")
        return self.file.created

    def values(self, texts: list[str], unit: str) -> tuple[int, list[int], list[int]]:
        """Decode a 300 record's values exactly: their scale, the values x 10^scale, the intervals that are empty."""
        joined = ",".join(texts)
        if _THREE_DECIMALS.fullmatch(joined):  # as nearly every file has them
            return 3, list(map(int, joined.replace(".", "").split(","))), []
        parts = [self.decimal_parts(text, unit, index) for index, text in enumerate(texts, start=1)]
        scale = max((len(part[1]) for part in parts if part), default=0)
        missing = [index for index, part in enumerate(parts, start=1) if part is None]
        if missing:
            self.warn(f"{len(missing)} value(s) are empty, interval {missing[0]} first: missing, not 0")
        if any(text.startswith(".") for text in texts):
            self.warn("value(s) without a digit before the point")
        return scale, [int(part[0] + part[1].ljust(scale, "0") or "0") if part else 0 for part in parts], missing

    def decimal_parts(self, text: str, unit: str, index: int) -> tuple[str, str] | None:
        """Split a value at its point, without the zeros around it; None when it is empty."""
        if not text:
            return None
        match = _VALUE.fullmatch(text)
        if match is None or text == ".":
            self.refuse(f"value {shown(text)} of interval {index} is not a plain number of 0 or more")
        whole_part = match[1].lstrip("0")
        if len(whole_part) > MAX_DIGITS:
            self.refuse(f"value {shown(text)} of interval {index} has more than {MAX_DIGITS} digits before the point")
        fraction = (match[2] or "").rstrip("0")
        if len(fraction) > MAX_SCALE - ENERGY[unit]:
            self.refuse(
                f"value {shown(text)} of interval {index} has {len(fraction)} decimals, "
                f"{MAX_SCALE - ENERGY[unit]} of {unit} are allowed: round it"
            )
        return whole_part, fraction

    def number(self, text: str, what: str, *, signed: bool = False) -> Decimal:
        if not _NUMBER.fullmatch(text) or (text.startswith("-") and not signed):
            self.refuse(f"{what} {shown(text)} is not a plain number" + ("" if signed else " of 0 or more"))
        return Decimal(text)

    def quality(self, text: str, reason: str, description: str) -> str:
        """Check a QualityMethod with its reason: what is not a quality is refused, a field too many or few is odd."""
        quality = upper(text)
        match = _QUALITY.fullmatch(quality)
        if match is None:
            self.refuse(f"quality {shown(text)} is not one of A, E, S, F, N or V with its method")
        flag, method = match[1], match[2]
        if reason and not _DIGITS.fullmatch(reason):
            self.refuse(f"reason code {shown(reason)} is not a number")
        if flag in "ESF" and method is None:
            self.warn(f"quality {flag} without its method")
        if flag in "AV" and method is not None:
            self.warn(f"quality {flag} has no method, {quality} was given")
            quality = flag
        if flag in "SF" and not reason:
            self.warn(f"quality {quality} without a reason")
        if flag == "E" and (reason or description):
            self.warn(f"quality {quality} has no reason, {shown(reason or description)} was given")
        if flag == "N":
            self.warn("quality N is from old files: the intervals are missing")
        return quality

    def need(self, row: Sequence[str], fields: int, indicator: str) -> None:
        if len(row) < fields:
            self.refuse(f"the {indicator} record has {len(row)} fields, it needs {fields}: it is cut off")

    def need_no_more(self, row: Sequence[str], fields: int, indicator: str) -> None:
        if any(row[fields:]):
            self.refuse(f"the {indicator} record has {len(row)} fields, it has {fields} at most")

    def refuse(self, reason: str, line: int | None = None) -> NoReturn:
        raise MeterDataRefused([Fault(self.file.name, line or self.line, reason)])

    def warn(self, text: str, line: int | None = None) -> None:
        self.file.warnings.append(f"{self.file.name}:{line or self.line}: {text}")


@lru_cache(maxsize=8192)
def moment_of(text: str) -> datetime | None:
    return parse_datetime(text) if _DIGITS.fullmatch(text) else None
