"""Synthetic accounts in the database, and the interval reads that their meters would have in the store."""

import io
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.database.connections import Connection
from shared.metering.interval_store import KWH, DayReads, Item, encode_day

PATTERNS = 12
HALF_HOURS = 48
ESTIMATED_EVERY = 20  # days; half-hours 10 to 14 of such a day are estimates
EPOCH = date(2000, 1, 1)
SQL = Path(__file__).with_name("portfolio.sql")


class Stream(NamedTuple):
    """What a register's reads are made of."""

    suffix: str
    pattern: int
    minutes: int
    last_day: date


@dataclass(frozen=True)
class Usage:
    """Watt-hours: wh[pattern, half-hour] x factor[day]. Every number is whole, so that every sum is exact."""

    days: list[date]
    wh: npt.NDArray[np.int64]
    factor: npt.NDArray[np.int64]


def usage(first: date, last: date) -> Usage:
    """A day's shape of each pattern, and by how much each day is heavier than others: winter, weekends."""
    hours = np.arange(HALF_HOURS) / 2
    evening = 1 + 1.5 * np.exp(-((hours - 18.5) ** 2) / 6) + 0.6 * np.exp(-((hours - 7.5) ** 2) / 3)
    wh = np.array([np.round(evening * (12 + 3 * pattern)) for pattern in range(PATTERNS)], dtype=np.int64)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    factor = [
        12 + round(3 * np.cos((day.timetuple().tm_yday - 200) / 58.1)) + (2 if day.weekday() >= 5 else 0)
        for day in days
    ]
    return Usage(days, wh, np.array(factor, dtype=np.int64))


def load(connection: Connection, accounts: int, made_of: Usage) -> dict[str, list[Stream]]:
    """Fill the platform's tables; returns each interval site's streams. Commits, and leaves good statistics behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "create temporary table usage (pattern integer, half_hour integer, wh bigint) on commit drop;"
            "create temporary table factor (profile_date date, factor bigint) on commit drop"
        )
        shapes = "".join(f"{p}\t{h + 1}\t{v}\n" for p, row in enumerate(made_of.wh) for h, v in enumerate(row))
        weights = "".join(f"{day}\t{value}\n" for day, value in zip(made_of.days, made_of.factor, strict=True))
        cursor.copy_expert("copy pg_temp.usage from stdin", io.StringIO(shapes))
        cursor.copy_expert("copy pg_temp.factor from stdin", io.StringIO(weights))
        cursor.execute("analyze usage; analyze factor")
        cursor.execute(SQL.read_text(encoding="utf-8"), {"accounts": accounts, "to": made_of.days[-1]})
        cursor.execute("select site_id, suffix, pattern, minutes, last_day from pg_temp.interval_register")
        streams: dict[str, list[Stream]] = {}
        for site_id, *stream in cursor.fetchall():
            streams.setdefault(site_id, []).append(Stream(*stream))
    connection.commit()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")
    return streams


@dataclass
class SyntheticStore:
    """EARL's interval store, as far as site-data reads it: a day is made up when it is asked for.

    seconds is the processor time that making up took: the caller's measure leaves it out.
    """

    streams: dict[str, list[Stream]]
    made_of: Usage
    seconds: float = 0.0
    _items: dict[tuple[str, int, int], list[Item]] = field(default_factory=dict)

    def get_paginator(self, _operation: str) -> "SyntheticStore":
        """A query's pages."""
        return self

    def paginate(self, *, ExpressionAttributeValues: Any, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803 - boto3's
        """All days of an NMI between two sort keys, on one page; whole estimated days there are none."""
        began = time.thread_time()
        key = ExpressionAttributeValues[":pk"]["S"]
        first, last = (ExpressionAttributeValues[name]["S"] for name in (":first", ":last"))
        _, _, _, nmi, kind = key.split("|")
        items: list[Item] = []
        for stream in self.streams.get(nmi, []) if kind == "ACT" else []:
            made = self._made(stream)
            end = min(last, f"{stream.last_day.isoformat()}|~")
            at = bisect_left(made, first, key=_sort_key), bisect_right(made, end, key=_sort_key)
            items += [{**item, "pk": {"S": key}} for item in made[slice(*at)]]
        items.sort(key=_sort_key)  # as DynamoDB gives them: by day, then suffix
        self.seconds += time.thread_time() - began
        yield {"Items": items}

    def _made(self, stream: Stream) -> list[Item]:
        key = stream.suffix, stream.pattern, stream.minutes
        if key not in self._items:
            self._items[key] = [self._item(stream, n) for n in range(len(self.made_of.days))]
        return self._items[key]

    def _item(self, stream: Stream, position: int) -> Item:
        day = self.made_of.days[position]
        # Ten-thousandths of a kWh, so that six parts of a half-hour have a decimal more than the half-hour.
        halves = self.made_of.wh[stream.pattern] * self.made_of.factor[position] * 10
        parts = 30 // stream.minutes
        values = np.repeat(halves // parts, parts)
        values[parts - 1 :: parts] += halves % parts
        return encode_day(
            DayReads(
                nmi="0000000000", suffix=stream.suffix, day=day, interval_minutes=stream.minutes, scale=4,
                values=values.tolist(), quality_runs=_quality_runs(day, stream.pattern, parts), uom=KWH,
                file="synthetic.csv", updated=f"{day + timedelta(days=1)}T02:00:00",
            )
        )  # fmt: skip


def _quality_runs(day: date, pattern: int, parts: int) -> str:
    if ((day - EPOCH).days + pattern) % ESTIMATED_EVERY:
        return f"1-{HALF_HOURS * parts}:A"
    return f"1-{9 * parts}:A,{9 * parts + 1}-{14 * parts}:E57,{14 * parts + 1}-{HALF_HOURS * parts}:A"


def _sort_key(item: Item) -> str:
    text: str = item["sk"]["S"]
    return text
