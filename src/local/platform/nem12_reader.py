"""Reads meter data files (AEMO Meter Data File Format, NEM12 and NEM13), plain, gzipped or zipped.

nemreader reads the records. It makes floats of a 300 record's values and lets much of a broken structure pass, so the
values are decoded here, exactly, and the structure is checked here. A file is accepted as a whole or refused with file,
line and reason. Real files that break a rule without losing meaning are accepted with a warning.
"""

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from nemreader.nem_objects import EventRecord, NmiDetails
from nemreader.nem_reader import parse_100_row, parse_200_row, parse_250_row, parse_400_row, parse_500_row

from local.platform.nem12_fields import Accumulation, Fields, MeterDataFile, QualityRuns, ReadDay
from shared.errors import InvalidInput
from shared.metering.nem12 import quality_runs

DayKey = tuple[str, str, date]  # NMI, suffix, market day

MINUTES_PER_DAY = 1440
REASONS_WITH_EVENTS = ("79", "89", "61")  # a 300 record of quality A with one of these must have 400 records

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")


def read_path(path: Path) -> list[MeterDataFile]:
    """Read a .csv, .csv.gz or .zip from disk: one MeterDataFile, of a zip one per member.

    Raises InvalidInput with file, line and reason.
    """
    return read_bytes(path.name, path.read_bytes())


def read_bytes(name: str, content: bytes) -> list[MeterDataFile]:
    """Read a file's bytes, whatever its name ends with. Raises InvalidInput with file, line and reason."""
    try:
        if content.startswith(GZIP_MAGIC):
            return [_Walk(name).read(gzip.decompress(content))]
        if content.startswith(ZIP_MAGIC):
            return _read_zip(name, content)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InvalidInput(f"{name}: cannot be decompressed: {error}") from error
    return [_Walk(name).read(content)]


def _read_zip(name: str, content: bytes) -> list[MeterDataFile]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = sorted(member for member in archive.namelist() if not member.endswith("/"))
        if not members:
            raise InvalidInput(f"{name}: the archive is empty")
        return [_Walk(f"{name}/{member}").read(archive.read(member)) for member in members]


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

    def read(self, content: bytes) -> MeterDataFile:
        if not content.strip():
            self.refuse("the file is empty")
        reader = csv.reader(io.StringIO(self.decode(content), newline=""), strict=True)
        try:
            for row in reader:
                self.line = reader.line_num
                self.record(row)
        except csv.Error as error:
            self.refuse(f"not a CSV record: {error}", reader.line_num)
        self.end_of_file()
        self.file.days = list(self.newest.values())
        return self.file

    def decode(self, content: bytes) -> str:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.refuse("not UTF-8 text", content.count(b"\n", 0, error.start) + 1)

    def record(self, row: list[str]) -> None:
        if not any(cell.strip() for cell in row):
            return self.blank()
        indicator = row[0].strip()
        if self.ended:
            self.refuse(f"a {indicator} record after the 900 record that ends the file")
        if (indicator == "100") == bool(self.file.version):
            self.refuse("a second 100 record" if self.file.version else "missing header: the first record is not 100")
        if indicator != "400":
            self.close_day()
        handlers: dict[str, Callable[[list[str]], None]] = {"100": self.header, "900": self.end}
        if self.file.version == "NEM12":
            handlers |= {"200": self.details, "300": self.interval, "400": self.event, "500": self.transaction}
        elif self.file.version == "NEM13":
            handlers |= {"250": self.accumulation, "550": self.transaction}
        handler = handlers.get(indicator)
        if handler is None:
            self.refuse(f"a {indicator!r} record does not belong in a {self.file.version} file")
        return handler(row)

    def blank(self) -> None:
        if not self.file.version:
            self.refuse("missing header: the first line is blank")
        if not self.ended:
            self.warn("blank line")

    def header(self, row: list[str]) -> None:
        self.need(row, 5, "100")
        version = row[1].strip().upper()
        if version not in {"NEM12", "NEM13"}:
            self.refuse(f"version {row[1]!r} is neither NEM12 nor NEM13")
        if len(row[2].strip()) != 12:
            self.warn(f"DateTime {row[2]!r} of the 100 record is not CCYYMMDDhhmm")
        self.file.created = self.timestamp(row[2], "DateTime")
        self.file.version = parse_100_row([row[0], version, *row[2:]], self.file.name).version_header

    def end(self, row: list[str]) -> None:
        if any(cell.strip() for cell in row[1:]):
            self.refuse("the 900 record has fields behind it")
        self.warn_empty_stream()
        self.ended = True

    def end_of_file(self) -> None:
        if not self.ended:
            self.refuse("the 900 record that ends a file is missing: the file is cut off")
        if not self.newest and not self.file.accumulations:
            self.refuse("no data: the file has not one read")

    def details(self, row: list[str]) -> None:
        self.need(row, 9, "200")
        self.need_no_more(row, 10, "200")
        self.warn_empty_stream()
        nmi, suffix = self.nmi(row[1]), row[4].strip().upper()
        if not re.fullmatch(r"[A-Z0-9]{2}", suffix):
            self.refuse(f"NMI suffix {row[4]!r} is not two characters")
        unit, minutes = self.unit(row[7]), self.interval_minutes(row[8])
        if len(row) > 9 and row[9].strip():
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
        count = MINUTES_PER_DAY // stream.interval_length
        tail = self.tail(row, count, stream.interval_length)
        scale, values, missing = self.values(row[2 : 2 + count])
        if len(tail) > 4 and tail[4].strip():
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
        self.stream_has_days = True
        self.pending = _Pending(day, tail[1].strip(), missing)

    def tail(self, row: list[str], count: int, minutes: int) -> list[str]:
        """Return the fields behind a 300 record's values, after checking that there are as many values as intervals."""
        tail = row[2 + count :]
        if len(tail) < 4 or any(cell.strip() for cell in tail[5:]):
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
        try:
            event = EventRecord(*parse_400_row([*row[:3], quality, *row[4:]], self.pending.day.interval_minutes))
        except ValueError:
            self.refuse(f"intervals {row[1]} to {row[2]} are not a span of the day's {len(self.pending.day.values)}")
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
            where = f"NMI {day.nmi} suffix {day.suffix} on {day.day} is in line {other.line} too"
            if other.updated == day.updated and not other.same_reads(day):
                self.refuse(f"{where}, with other reads and the same update time", day.line)
            self.warn(f"{where}: the newer update is taken", day.line)
        if other is None or day.updated >= other.updated:
            self.newest[key] = day

    def transaction(self, row: list[str]) -> None:
        self.need(row, 5, row[0])
        if row[0].strip() == "500":
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
        quantity = self.number(row[18], "Quantity")
        read = parse_250_row([*row, ""][:23])
        self.file.accumulations.append(
            Accumulation(
                nmi=self.nmi(row[1]),
                suffix=read.nmi_suffix,
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


def _with_missing(runs: QualityRuns, missing: Iterable[int]) -> QualityRuns:
    """Cut the intervals that have no value out of a day's qualities, as N."""
    qualities = [quality for first, last, quality in runs for _ in range(first, last + 1)]
    for interval in missing:
        qualities[interval - 1] = "N"
    return quality_runs(qualities)
