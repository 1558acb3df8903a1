"""Reads meter data files (AEMO Meter Data File Format, NEM12 and NEM13), plain, gzipped or zipped.

nemreader reads the records. It makes floats of a 300 record's values and lets much of a broken structure pass, so the
values are decoded here, exactly, and the structure is checked here. A file is accepted as a whole or refused with file,
line and reason. Real files that break a rule without losing meaning are accepted with a warning.
"""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from nemreader.nem_objects import EventRecord, NmiDetails
from nemreader.nem_reader import parse_100_row, parse_200_row, parse_250_row, parse_500_row

from local.platform.nem12_archives import members
from local.platform.nem12_fields import (
    ENERGY,
    FAULTS_SHOWN,
    Accumulation,
    Fault,
    Fields,
    MeterDataFile,
    MeterDataRefused,
    QualityRuns,
    ReadDay,
)
from local.platform.text import has_blanks_around, printable, shown, trimmed, upper, whole
from shared.metering.nem12 import quality_runs

DayKey = tuple[str, str, date]  # NMI, suffix, market day

MINUTES_PER_DAY = 1440
REASONS_WITH_EVENTS = ("79", "89", "61")  # a 300 record of quality A with one of these must have 400 records
RECORDS = ("100", "200", "250", "300", "400", "500", "550", "900")
# What belongs to a record, and is passed over with it.
BELONGING = {"200": ("300", "400", "500"), "300": ("400",), "400": ("400",)}
# Files that people put beside data to explain it.
DOCUMENTS = (".txt", ".md", ".pdf", ".html", ".doc", ".docx")


def read_path(path: Path) -> list[MeterDataFile]:
    """Read a .csv, .csv.gz or .zip from disk: one MeterDataFile, of a zip one per member.

    Raises MeterDataRefused with file, line and reason of everything that is wrong.
    """
    return read_bytes(printable(path.name), path.read_bytes())


def read_bytes(name: str, content: bytes) -> list[MeterDataFile]:
    """Read a file's bytes, whatever its name ends with. Raises MeterDataRefused with file, line and reason."""
    files: list[MeterDataFile] = []
    faults: list[Fault] = []
    for member in members(name, content):
        try:
            text = member.read()
            files.append(
                _passed_over(member.name) if _is_beside_the_data(member.name, text) else _Walk(member.name).read(text)
            )
        except MeterDataRefused as refused:
            faults += refused.faults
    if faults:
        raise MeterDataRefused(faults)
    return files


def looks_like_meter_data(content: bytes) -> bool:
    """Tell whether a file begins as a meter data file does."""
    return content[:64].decode("utf-8-sig", "replace").lstrip().startswith("100,")


def _is_beside_the_data(name: str, content: bytes) -> bool:
    base = name.replace("\\", "/").rpartition("/")[2].lower()
    return (base.startswith(".") or base.endswith(DOCUMENTS)) and not looks_like_meter_data(content)


def _passed_over(name: str) -> MeterDataFile:
    return MeterDataFile(name, warnings=[f"{name}: holds no meter data, passed over"])


@dataclass
class _Pending:
    """A 300 record until its 400 records are in."""

    day: ReadDay
    reason: str
    missing: list[int]  # intervals, counted from 1, that have no value
    events: list[EventRecord] = field(default_factory=list)


class _Walk(Fields):
    """One pass over a file's records, in the order that the specification demands."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.ended = False
        self.stream: NmiDetails | None = None  # of the last 200 record
        self.stream_line = 0
        self.stream_has_days = True
        self.pending: _Pending | None = None
        self.newest: dict[DayKey, ReadDay] = {}
        self.rivals: list[tuple[ReadDay, ReadDay]] = []  # versions of a day with one update time
        self.faults: list[Fault] = []
        self.passing_over: tuple[str, ...] = ()  # records that belong to one that was refused or is not energy

    def read(self, content: bytes) -> MeterDataFile:
        """Read the whole file, so that one reading shows what there is to mend in it."""
        if not content.strip():
            self.refuse("the file is empty")
        text = self.decode(content)
        has_blanks = has_blanks_around(text)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            for row in reader:
                self.line = reader.line_num
                self.take([trimmed(cell) for cell in row] if has_blanks else row)
                if len(self.faults) >= FAULTS_SHOWN or (self.faults and not self.file.version):
                    raise MeterDataRefused(self.faults)
        except csv.Error as error:
            self.faults.append(Fault(self.file.name, reader.line_num, f"not a CSV record: {error}"))
            raise MeterDataRefused(self.faults) from error
        self.noting(self.end_of_file)
        self.judge_rivals()
        if self.faults:
            raise MeterDataRefused(self.faults)
        self.file.days = list(self.newest.values())
        return self.file

    def decode(self, content: bytes) -> str:
        nul = content.find(0)
        if nul >= 0:
            self.refuse(
                "not text: it has a NUL character, as UTF-16 has: save it as UTF-8", content.count(b"\n", 0, nul) + 1
            )
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.refuse("not UTF-8 text", content.count(b"\n", 0, error.start) + 1)

    def take(self, row: list[str]) -> None:
        """Handle a record; when it is refused, note that and pass over what belongs to it."""
        if not any(row):
            self.noting(self.blank)
            return
        indicator = row[0]
        if indicator in self.passing_over:
            return
        if indicator != "400":
            self.noting(self.close_day)
        self.passing_over = ()
        if not self.noting(lambda: self.record(row)):
            self.pending = None
            self.passing_over = RECORDS if self.ended else BELONGING.get(indicator, ())

    def noting(self, step: Callable[[], None]) -> bool:
        """Run a step; note what it refuses. Returns whether it refused nothing."""
        try:
            step()
        except MeterDataRefused as refused:
            self.faults += refused.faults
            return False
        return True

    def record(self, row: list[str]) -> None:
        indicator = row[0]
        if self.ended:
            self.refuse(f"a {shown(indicator)} record after the 900 record that ends the file")
        if (indicator == "100") == bool(self.file.version):
            self.refuse("a second 100 record" if self.file.version else "missing header: the first record is not 100")
        handlers: dict[str, Callable[[list[str]], None]] = {"100": self.header, "900": self.end}
        if self.file.version == "NEM12":
            handlers |= {"200": self.details, "300": self.interval, "400": self.event, "500": self.transaction}
        elif self.file.version == "NEM13":
            handlers |= {"250": self.accumulation, "550": self.transaction}
        handler = handlers.get(indicator)
        if handler is None:
            self.refuse(f"a {shown(indicator)} record does not belong in a {self.file.version} file")
        handler(row)

    def blank(self) -> None:
        if not self.file.version:
            self.refuse("missing header: the first line is blank")
        if not self.ended:
            self.warn("blank line")

    def header(self, row: list[str]) -> None:
        self.need(row, 5, "100")
        version = upper(row[1])
        if version not in {"NEM12", "NEM13"}:
            self.refuse(f"version {shown(row[1])} is neither NEM12 nor NEM13")
        if len(row[2]) != 12:
            self.warn(f"DateTime {shown(row[2])} of the 100 record is not CCYYMMDDhhmm")
        self.file.created = self.timestamp(row[2], "DateTime")
        self.file.version = parse_100_row([row[0], version, *row[2:]], self.file.name).version_header

    def end(self, row: list[str]) -> None:
        if any(row[1:]):
            self.refuse("the 900 record has fields behind it")
        self.warn_empty_stream()
        self.ended = True

    def end_of_file(self) -> None:
        if not self.ended:
            self.refuse("the 900 record that ends a file is missing: the file is cut off")
        if not (self.newest or self.file.accumulations or self.file.passed_over or self.faults):
            self.refuse("no data: the file has not one read")

    def details(self, row: list[str]) -> None:
        self.need(row, 9, "200")
        self.need_no_more(row, 10, "200")
        self.warn_empty_stream()
        nmi, unit = self.nmi(row[1]), self.unit(row[7])
        self.stream, self.stream_has_days = None, True
        if unit not in ENERGY:
            self.file.passed_over.setdefault((nmi, upper(row[4]), unit), self.line)
            self.passing_over = BELONGING["200"]
            return
        suffix, minutes = self.suffix(row[4]), self.interval_minutes(row[8])
        if row[9:] and row[9]:
            self.timestamp(row[9], "NextScheduledReadDate")
        self.stream = parse_200_row([row[0], nmi, *row[2:4], suffix, *row[5:7], unit, str(minutes), *row[9:10]])
        self.stream_line, self.stream_has_days = self.line, False

    def warn_empty_stream(self) -> None:
        if not self.stream_has_days:
            self.warn("a 200 record without a 300 record", self.stream_line)

    def interval(self, row: list[str]) -> None:
        stream = self.stream
        if stream is None:
            self.refuse("a 300 record without a 200 record before it")
        self.stream_has_days = True
        count = MINUTES_PER_DAY // stream.interval_length
        tail = self.tail(row, count, stream.interval_length)
        scale, values, missing = self.values(row[2 : 2 + count], stream.uom)
        if tail[4:] and tail[4]:
            self.timestamp(tail[4], "MSATSLoadDateTime")
        day = ReadDay(
            nmi=stream.nmi,
            suffix=stream.nmi_suffix,
            meter_serial=stream.meter_serial_number,
            register_id=stream.register_id,
            uom=stream.uom,
            interval_minutes=stream.interval_length,
            day=self.day_of(row[1]),
            scale=scale,
            values=values,
            quality_runs=((1, count, self.quality(tail[0], tail[1], tail[2])),),
            updated=self.updated(tail[3]),
            line=self.line,
        )
        self.pending = _Pending(day, tail[1], missing)

    def tail(self, row: list[str], count: int, minutes: int) -> list[str]:
        """Return the fields behind a 300 record's values, after checking that there are as many values as intervals."""
        tail = row[2 + count :]
        if len(tail) < 4 or any(tail[5:]):
            self.refuse(
                f"the 300 record has {len(row)} fields, {count} values of {minutes} minutes make {count + 6} or "
                f"{count + 7} (line {self.stream_line} says {minutes} minutes)"
            )
        return tail

    def event(self, row: list[str]) -> None:
        if self.pending is None:
            self.refuse("a 400 record without a 300 record before it")
        self.need(row, 4, "400")
        self.need_no_more(row, 6, "400")
        row = [*row, "", ""][:6]
        quality = self.quality(row[3], row[4], row[5])
        if quality == "V":
            self.refuse("quality V in a 400 record: it is for a 300 record, whose 400 records say what varies")
        first, last, count = whole(row[1]), whole(row[2]), len(self.pending.day.values)
        if first is None or last is None or not 1 <= first <= last <= count:
            self.refuse(f"intervals {shown(row[1])} to {shown(row[2])} are not a span of the day's {count}")
        event = EventRecord(first, last, quality, *row[4:])
        expected = self.pending.events[-1].end_interval + 1 if self.pending.events else 1
        if event.start_interval != expected:
            fault = "leaves a gap" if event.start_interval > expected else "overlaps the one before"
            self.refuse(f"the 400 record from interval {event.start_interval} {fault}: {expected} is next")
        self.pending.events.append(event)

    def close_day(self) -> None:
        """Finish a 300 record once its 400 records are in, and keep it if it is the newest of its day."""
        pending, self.pending = self.pending, None
        if pending is None:
            return
        day, events = pending.day, pending.events
        quality = day.quality_runs[0][2]
        if quality == "V" and not events:
            self.refuse("quality V without 400 records that say what varies", day.line)
        if events and events[-1].end_interval != len(day.values):
            self.refuse(f"400 records end at interval {events[-1].end_interval} of {len(day.values)}", day.line)
        if quality == "A" and pending.reason in REASONS_WITH_EVENTS and not events:
            self.warn(f"quality A with reason {pending.reason} should have 400 records", day.line)
        if events or pending.missing:
            runs = tuple((event.start_interval, event.end_interval, event.quality_method) for event in events)
            day = replace(day, quality_runs=_with_missing(runs or day.quality_runs, pending.missing))
        self.keep(day)

    def keep(self, day: ReadDay) -> None:
        key = (day.nmi, day.suffix, day.day)
        other = self.newest.get(key)
        if other is not None:
            self.warn(f"{_where(day)} is in line {other.line} too: the newer update is taken", day.line)
            if other.updated == day.updated:
                self.rivals.append((other, day))
        if other is None or day.updated >= other.updated:
            self.newest[key] = day

    def judge_rivals(self) -> None:
        """Two versions of a day may only contradict each other where a newer one settles it."""
        for earlier, later in self.rivals:
            settled = self.newest[later.nmi, later.suffix, later.day].updated > later.updated
            if not settled and not later.same_reads(earlier):
                reason = f"{_where(later)} is in line {earlier.line} too, with other reads and the same update time"
                self.faults.append(Fault(self.file.name, later.line, reason))

    def transaction(self, row: list[str]) -> None:
        self.need(row, 5, row[0])
        if row[0] == "500":
            if self.stream is None:
                self.refuse("a 500 record without a 200 record before it")
            parse_500_row(row)

    def accumulation(self, row: list[str]) -> None:
        self.need(row, 22, "250")
        self.need_no_more(row, 23, "250")
        quality = self.quality(row[15], row[16], row[17])
        if quality == "V":
            self.refuse("quality V in a NEM13 file")
        for text, what in ((row[8], "PreviousRegisterRead"), (row[13], "CurrentRegisterRead")):
            self.number(text, what)
        quantity = self.number(row[18], "Quantity", signed=True)  # an index may be corrected downwards
        read = parse_250_row([*row, ""][:23])
        self.file.accumulations.append(
            Accumulation(
                nmi=self.nmi(row[1]),
                suffix=upper(read.nmi_suffix),
                meter_serial=read.meter_serial_number,
                register_id=read.register_id,
                uom=self.unit(read.uom),
                previous_read=row[8],
                previous_at=self.timestamp(row[9], "PreviousRegisterReadDateTime"),
                current_read=row[13],
                current_at=self.timestamp(row[14], "CurrentRegisterReadDateTime"),
                quality=quality,
                quantity=quantity,
                line=self.line,
            )
        )


def _where(day: ReadDay) -> str:
    return f"NMI {day.nmi} suffix {day.suffix} on {day.day}"


def _with_missing(runs: QualityRuns, missing: Iterable[int]) -> QualityRuns:
    """Cut the intervals that have no value out of a day's qualities, as N."""
    qualities = [quality for first, last, quality in runs for _ in range(first, last + 1)]
    for interval in missing:
        qualities[interval - 1] = "N"
    return quality_runs(qualities)
