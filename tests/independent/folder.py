"""What a portfolio folder holds, read plainly: CSV rows, calendars and interval days (a small NEM12 parser of its own).

Part of the second opinion in reading.py: nothing here may import from src/, or both opinions could share one mistake.
"""

import csv
import gzip
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

CLOCKS = {
    "NSW": "Australia/Sydney",
    "VIC": "Australia/Melbourne",
    "QLD": "Australia/Brisbane",
    "SA": "Australia/Adelaide",
    "ACT": "Australia/Sydney",
    "TAS": "Australia/Hobart",
    "WA": "Australia/Perth",
}
MARKET_HOURS = defaultdict(lambda: 10, WA=8)  # market time ahead of UTC, all year
KWH_PER = {"KWH": 1.0, "WH": 0.001, "MWH": 1000.0}
READ, ESTIMATED, MISSING = 0, 1, 2  # how much a half-hour is worth, in the order in which the worst part wins
WORTH = {"A": READ, "S": READ, "F": READ, "E": ESTIMATED, "N": MISSING}
FAR = date(9999, 12, 31)
HOLE_DAYS = 7  # without a temperature, that a line is drawn over


def day_of(text: str) -> date:
    return date.fromisoformat(text) if text else FAR


@dataclass(frozen=True)
class Account:
    account_id: str
    fuel: str
    customer_class: str
    jurisdiction: str
    site: str
    node: str
    plan: str
    opened: date
    closed: date
    next_bill: date


@dataclass(frozen=True)
class Register:
    site: str
    serial: str
    register_id: str
    suffix: str
    stream: str
    basic: bool
    digits: int | None
    start: date
    end: date
    lives: tuple[tuple[date, date], ...] = ()  # of the meters that the stream went through


def a_year_before(day: date) -> date:
    return day.replace(year=day.year - 1) if (day.month, day.day) != (2, 29) else date(day.year - 1, 2, 28)


def through_swaps(registers: list[Register]) -> list[Register]:
    """Interval reads name a site's suffix, not a meter: a suffix goes on through a change of meters."""
    streams: dict[object, Register] = {}
    for register in sorted(registers, key=lambda r: r.start):
        key = (
            (register.serial, register.register_id, register.start)
            if register.basic
            else (register.suffix, register.stream)
        )
        first = streams.get(key, register)
        lives = (*first.lives, (register.start, register.end))
        streams[key] = replace(register, start=first.start, end=max(first.end, register.end), lives=lives)
    return list(streams.values())


@dataclass(frozen=True)
class IndexRead:
    """What an index showed at the start of a day; `factor` is kWh or MJ per unit of it."""

    day: date
    index: float
    factor: float
    actual: bool


@dataclass(frozen=True)
class PlanRow:
    order: int
    item: str
    time_class: str
    start: date
    end: date
    rate: Decimal
    block: Decimal | None
    discount: Decimal  # fraction of the amount
    propensity: Decimal  # chance that the discount is earned

    def valid(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True)
class Invoice:
    invoice_id: str
    start: date
    end: date
    issued: date
    estimated: bool
    reversed: bool
    quantity: dict[str, float]  # by stream


@dataclass
class IntervalDays:
    """Half-hours of one register: kWh and worth, one row a market day; a day never delivered is MISSING throughout."""

    kwh: np.ndarray
    worth: np.ndarray

    @property
    def complete(self) -> np.ndarray:
        return (self.worth == READ).all(axis=1)


@dataclass
class Folder:
    path: Path
    run_date: date
    earliest: date | None = None  # nothing before this day may be used
    first: date = field(init=False)  # day 0 of every array
    days: int = field(init=False)  # the last of them is run_date itself: a western clock may need its first half-hour

    def __post_init__(self) -> None:
        self._raw = dict(_newest(_nem12_days(sorted((self.path / "nem12").glob("*")))))
        known = [key[2] for key in self._raw] + [date.fromisoformat(row["date"]) for row in self.rows("gas_volumes")]
        first = min([*known, a_year_before(self.run_date) - timedelta(days=1)])
        self.first = max(first, self.earliest) if self.earliest else first
        self.days = (self.run_date - self.first).days + 1

    def rows(self, name: str) -> list[dict[str, str]]:
        path = self.path / f"{name}.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream))

    def index(self, day: date) -> int:
        return (day - self.first).days

    def date(self, index: int) -> date:
        return self.first + timedelta(days=int(index))

    def between(self, start: date, end: date) -> np.ndarray:
        """Which days of the grid lie in [start, end], both inclusive."""
        mask = np.zeros(self.days, dtype=bool)
        mask[max(0, self.index(start)) : max(0, self.index(min(end, self.run_date)) + 1)] = True
        return mask

    @cached_property
    def accounts(self) -> list[Account]:
        return [
            Account(
                row["account_id"],
                row["fuel"],
                row["customer_class"],
                row["jurisdiction"],
                row["site_id"][:10],
                row["node"],
                row["plan_code"],
                date.fromisoformat(row["open_date"]),
                day_of(row["close_date"]),
                day_of(row["next_bill_date"]),
            )
            for row in self.rows("accounts")
        ]

    @cached_property
    def registers(self) -> dict[str, list[Register]]:
        out = defaultdict(list)
        for row in self.rows("registers"):
            register = Register(
                row["site_id"][:10],
                row["meter_serial"],
                row["register_id"],
                row["suffix"],
                row["stream_type"],
                row["read_type"] == "BASIC",
                int(row["digits"]) if row["digits"] else None,
                date.fromisoformat(row["start_date"]),
                day_of(row["end_date"]),
            )
            out[register.site].append(register)
        return {site: through_swaps(registers) for site, registers in out.items()}

    @cached_property
    def histories(self) -> dict[str, list[tuple[str, date, date]]]:
        """The plans that accounts have had, with first and last day."""
        out = defaultdict(list)
        for row in self.rows("account_plans"):
            dates = date.fromisoformat(row["from_date"]), day_of(row["to_date"])
            out[row["account_id"]].append((row["plan_code"], *dates))
        return out

    @cached_property
    def plans(self) -> dict[str, list[PlanRow]]:
        out = defaultdict(list)
        for order, row in enumerate(self.rows("plans")):
            out[row["plan_code"]].append(
                PlanRow(
                    order,
                    row["item_type"],
                    row["time_class"] or "ANYTIME",
                    date.fromisoformat(row["from_date"]),
                    day_of(row["to_date"]),
                    Decimal(row["rate"]),
                    Decimal(row["block_limit_per_day"]) if row["block_limit_per_day"] else None,
                    Decimal(row["discount_percent"] or 0) / 100,
                    Decimal(row["discount_propensity"] or 0),
                )
            )
        return out

    @cached_property
    def invoices(self) -> dict[str, list[Invoice]]:
        quantity: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for row in self.rows("invoice_lines"):
            if row["stream_type"]:
                quantity[row["invoice_id"]][row["stream_type"]] += float(row["quantity"] or 0)
        out = defaultdict(list)
        for row in self.rows("invoices"):
            out[row["account_id"]].append(
                Invoice(
                    row["invoice_id"],
                    date.fromisoformat(row["from_date"]),
                    date.fromisoformat(row["to_date"]),
                    day_of(row["issued_date"]),
                    row["estimated"].lower() == "true",
                    row["reversed"].lower() == "true",
                    quantity[row["invoice_id"]],
                )
            )
        return out

    @cached_property
    def index_reads(self) -> dict[tuple[str, str, str], list[IndexRead]]:
        """Every index read known at the run, by site, meter and register, oldest first."""
        out: dict[tuple[str, str, str], list[IndexRead]] = defaultdict(list)
        for row in self.rows("basic_reads"):
            day = date.fromisoformat(row["read_date"])
            if day <= self.run_date:
                key = (row["site_id"][:10], row["meter_serial"], row["register_id"])
                factor = float(row["quantity_factor"] or 1)
                out[key].append(IndexRead(day, float(row["index_value"]), factor, row["quality"] == "A"))
        return {key: sorted(reads, key=lambda r: (r.day, r.index)) for key, reads in out.items()}

    @cached_property
    def gas(self) -> dict[tuple[str, str], np.ndarray]:
        """MJ a day by jurisdiction and zone; NaN where no volume came."""
        out: dict[tuple[str, str], np.ndarray] = {}
        for row in self.rows("gas_volumes"):
            index = self.index(date.fromisoformat(row["date"]))
            if 0 <= index < self.days:
                out.setdefault((row["jurisdiction"], row["node"]), np.full(self.days, np.nan))[index] = row["volume_mj"]
        return out

    @cached_property
    def degrees(self) -> dict[tuple[str, str], np.ndarray]:
        """Degree-days by jurisdiction and zone: degrees below 15.5 C; short holes on the line between their neighbours."""
        found: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        for row in self.rows("temperatures"):
            index = self.index(date.fromisoformat(row["date"]))
            if 0 <= index < self.days:
                found[row["jurisdiction"], row["node"]][index] = max(15.5 - float(row["mean_c"]), 0.0)
        out = {}
        for zone, known in found.items():
            at = np.array(sorted(known))
            out[zone] = np.interp(np.arange(self.days), at, [known[i] for i in at], left=np.nan)
            for before, after in pairwise(at):
                if after - before - 1 > HOLE_DAYS:
                    out[zone][before + 1 : after] = np.nan
            out[zone][at[-1] + HOLE_DAYS + 1 :] = np.nan
        return out

    @cached_property
    def holidays(self) -> set[tuple[str, date]]:
        return {(row["jurisdiction"], date.fromisoformat(row["date"])) for row in self.rows("public_holidays")}

    @cached_property
    def windows(self) -> dict[str, list[tuple[str, str, int, int]]]:
        """Time class, days, first and last-but-one minute, by plan."""
        out = defaultdict(list)
        for row in self.rows("time_classes"):
            start, end = (int(row[k][:2]) * 60 + int(row[k][3:5]) for k in ("start_time", "end_time"))
            out[row["plan_code"]].append((row["time_class"], row["days"], start, end))
        return out

    @cached_property
    def intervals(self) -> dict[tuple[str, str], IntervalDays]:
        out: dict[tuple[str, str], IntervalDays] = {}
        for (nmi, suffix, day), (kwh, worth) in self._raw.items():
            if not self.first <= day <= self.run_date:
                continue
            if (nmi, suffix) not in out:
                shape = (self.days, 48)
                out[nmi, suffix] = IntervalDays(np.zeros(shape), np.full(shape, MISSING, dtype=np.int8))
            out[nmi, suffix].kwh[self.index(day)] = kwh
            out[nmi, suffix].worth[self.index(day)] = worth
        return out

    def day_types(self, jurisdiction: str) -> np.ndarray:
        """W weekday, E weekend, H public holiday."""
        dates = [self.date(i) for i in range(self.days)]
        return np.array(
            ["H" if (jurisdiction, d) in self.holidays else "E" if d.weekday() >= 5 else "W" for d in dates]
        )

    def local_clock(self, jurisdiction: str) -> tuple[np.ndarray, np.ndarray]:
        """Local day (grid index, -1 when off the grid) and minute at which each market half-hour starts."""
        zone = ZoneInfo(CLOCKS[jurisdiction])
        midnight = datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)
        midnight -= timedelta(hours=MARKET_HOURS[jurisdiction])
        day, minute = np.full((self.days, 48), -1), np.zeros((self.days, 48), dtype=int)
        for i in range(self.days * 48):
            local = (midnight + timedelta(minutes=30 * i)).astimezone(zone)
            day.flat[i] = self.index(local.date())
            minute.flat[i] = local.hour * 60 + local.minute
        day[(day < 0) | (day >= self.days)] = -1
        return day, minute


Key = tuple[str, str, date]
Day = tuple[np.ndarray, np.ndarray]


def _newest(days: Iterable[tuple[Key, str, Day]]) -> Iterator[tuple[Key, Day]]:
    """The delivery with the newest update time of each register and day; of equals the one read last."""
    best: dict[Key, str] = {}
    for key, updated, day in days:
        if updated >= best.get(key, ""):
            best[key] = updated
            yield key, day


def _nem12_days(paths: Iterable[Path]) -> Iterator[tuple[Key, str, Day]]:
    for path in paths:
        for text in _texts(path):
            yield from parse_nem12(text)


def _texts(path: Path) -> Iterator[str]:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield archive.read(name).decode("utf-8-sig")
    elif path.suffix.lower() == ".gz":
        yield gzip.decompress(path.read_bytes()).decode("utf-8-sig")
    elif path.suffix.lower() == ".csv":
        yield path.read_text(encoding="utf-8-sig")


def parse_nem12(text: str) -> Iterator[tuple[Key, str, Day]]:
    """Each 300 record with the 400 records under it, as (NMI, suffix, day), update time, 48 half-hours."""
    created, nmi, suffix, length, factor = "", "", "", 30, 1.0
    record: list[str] = []
    events: list[list[str]] = []

    def finish() -> Iterator[tuple[Key, str, Day]]:
        if record:
            count = 1440 // length
            day = date(int(record[1][:4]), int(record[1][4:6]), int(record[1][6:8]))
            updated = (record[count + 5] if len(record) > count + 5 else "") or created
            yield (nmi[:10], suffix, day), updated, half_hours(record[2 : count + 3], events, factor)

    for row in csv.reader(io.StringIO(text)):
        kind = row[0] if row else ""
        if kind == "400":
            events.append(row)
            continue
        yield from finish()
        record, events = [], []
        if kind == "100":
            created = row[2] + "00"
        elif kind == "200":
            nmi, suffix, length = row[1], row[4], int(row[8])
            factor = KWH_PER.get(row[7].upper(), 0.0)  # reactive channels are no energy
        elif kind == "300":
            record = row
    yield from finish()


def half_hours(fields: list[str], events: list[list[str]], factor: float) -> Day:
    """Sum the values to 48; a half-hour is worth what the worst of its parts is. `fields` ends with the quality."""
    *values, quality = fields
    worth = np.full(len(values), WORTH.get(quality[:1], MISSING), dtype=np.int8)
    for event in events:
        worth[int(event[1]) - 1 : int(event[2])] = WORTH[event[3][:1]]
    worth[[not value.strip() for value in values]] = MISSING
    kwh = np.array([float(value or 0) for value in values]) * factor
    return kwh.reshape(48, -1).sum(axis=1), worth.reshape(48, -1).max(axis=1)
