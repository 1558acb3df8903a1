"""The interval store: how DynamoDB stores a day of interval reads, and how many days are read at once.

One item per NMI, suffix and market day. Partition key `NEM|DATA|NMI|<nmi>|ACT`, or `|EST` when the whole day is
estimated; sort key `<YYYY-MM-DD>|<suffix>`. `val` holds the day's values as little-endian uint32 in
kWh x 10^scale, first the interval that starts at midnight market time; `q` the qualities as runs (`1-20:A,21-48:E57`).
A day may exist under both partition keys, an estimate and the actual that replaced it: the newest update wins.

Items are read as botocore hands them over and decoded together by numpy: boto3's TypeDeserializer would take ten times
as long as everything here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from operator import itemgetter, lt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.errors import InvalidInput
from shared.metering.pace import Pace

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ABSENT: Mapping[str, None] = {"S": None}

Marks = tuple[str, int, int]  # 48 qualities, the bits of those that are excluded, of those that are missing
Item = Mapping[str, Mapping[str, Any]]  # an item as the low-level client gives and takes it: {"pk": {"S": "..."}, ...}

HALF_HOURS = 48
MINUTES_PER_DAY = 1440
INTERVAL_MINUTES = (5, 15, 30)
MAX_SCALE = 6  # decimals of kWh; totals are kept in 10^-6 kWh
KWH = "KWH"  # the unit that energy is stored in
BUA = "BUA"  # the origin of everything that a run wrote; never an input of a run

INT4_MAX = 2**31 - 1
UINT32_MAX = 2**32 - 1

QUALITIES_BEST_FIRST = "AFSEN"
EXCLUDED = "EN"  # not usable for averages and scalars
ESTIMATED_ONLY = frozenset("EN")

SAMPLED = 7  # of so many half-hours one is looked at before all are
_FIELDS = itemgetter("len", "scale", "val", "q")


class DayKeys(NamedTuple):
    """What names each of several days."""

    nmis: list[str]
    suffixes: list[str]
    days: list[str]


@dataclass(frozen=True, slots=True)
class DayReads:
    """One suffix's reads of one market day, ready to be stored.

    values are in uom x 10^scale, one per interval; the uom of energy is KWH; anything else is not energy.
    quality_runs is `q` of the item; updated is ISO 8601 (`2026-10-03T02:00:00`), so that the newest is the greatest text.
    """

    nmi: str
    suffix: str
    day: date
    interval_minutes: int
    scale: int
    values: Sequence[int]
    quality_runs: str
    uom: str
    file: str
    updated: str
    run_date: date | None = None
    origin: str | None = None


@dataclass(frozen=True)
class SiteDays:
    """The days of one NMI, or of several, sorted by NMI, suffix and day; each array has one row per day.

    half_hours (n x 48, int32) are kWh x 10^scales, 0 where missing. qualities has 48 characters of A, F, S, E, N a day.
    Bit h - 1 of excluded is set when half-hour h is E or N, of missing when it is N. totals are micro-kWh (10^-6 kWh)
    of the half-hours that are not missing, exactly.
    """

    nmis: list[str]
    suffixes: list[str]
    days: npt.NDArray[np.datetime64]
    scales: npt.NDArray[np.int16]
    half_hours: npt.NDArray[np.int32]
    qualities: list[str]
    excluded: npt.NDArray[np.int64]
    missing: npt.NDArray[np.int64]
    totals: npt.NDArray[np.int64]
    items_read: int
    newest_update: str | None

    def __len__(self) -> int:
        """Count the days."""
        return len(self.suffixes)


_POWERS: npt.NDArray[np.int64] = np.array([10**n for n in range(MAX_SCALE + 1)], dtype=np.int64)


def partition_key(nmi: str, *, estimated: bool) -> str:
    """Name the partition of an NMI's actual or estimated days."""
    return f"NEM|DATA|NMI|{nmi}|{'EST' if estimated else 'ACT'}"


def encode_day(day: DayReads) -> dict[str, dict[str, Any]]:
    """Pack a day into an item for the low-level client.

    Raises InvalidInput, naming NMI and day, when the count of values, the qualities or the size of a value is wrong.
    """
    where = f"NMI {day.nmi} suffix {day.suffix} on {day.day}"
    count = _interval_count(day.interval_minutes, where)
    if len(day.values) != count:
        raise InvalidInput(f"{where}: {len(day.values)} values where {day.interval_minutes} minutes need {count}")
    if not 0 <= day.scale <= MAX_SCALE:
        raise InvalidInput(f"{where}: {day.scale} decimals of kWh, the store keeps at most {MAX_SCALE}")
    if max(day.values) > UINT32_MAX or min(day.values) < 0:
        raise InvalidInput(f"{where}: a value is negative or too large for 32 bits at {day.scale} decimals")
    try:
        parts = _parse_quality_runs(day.quality_runs, count)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from error
    item: dict[str, dict[str, Any]] = {
        "pk": {"S": partition_key(day.nmi, estimated=ESTIMATED_ONLY.issuperset(parts))},
        "sk": {"S": f"{day.day.isoformat()}|{day.suffix}"},
        "len": {"N": str(day.interval_minutes)},
        "scale": {"N": str(day.scale)},
        "val": {"B": np.array(day.values, dtype="<u4").tobytes()},
        "q": {"S": day.quality_runs},
        "uom": {"S": day.uom},
        "file": {"S": day.file},
        "upd": {"S": day.updated},
    }
    if day.run_date is not None:
        item["run_date"] = {"S": day.run_date.isoformat()}
    if day.origin is not None:
        item["origin"] = {"S": day.origin}
    return item


def decode_items(items: Iterable[Item]) -> SiteDays:
    """Decode items of any NMIs to half-hours, the newest update of each NMI, suffix and day.

    Ignores what runs wrote, and reactive channels: kvarh are never billed as kWh. Raises InvalidInput, naming NMI and
    day, for an item that is invalid.
    """
    return _decode_usable(
        [
            item
            for item in items
            if "uom" in item and item["uom"]["S"] == KWH and ("origin" not in item or item["origin"]["S"] != BUA)
        ]
    )


def decode_run_items(items: Iterable[Item], run_date: date) -> SiteDays:
    """Decode what one run wrote, and nothing else; otherwise as decode_items."""
    of_run = {"S": run_date.isoformat()}
    return _decode_usable(
        [item for item in items if item.get("origin", _ABSENT)["S"] == BUA and item.get("run_date") == of_run]
    )


def query_items(
    client: "DynamoDBClient", table: str, nmi: str, first: date, last: date, *, pace: Pace | None = None
) -> list[Item]:
    """Read all items of an NMI from first to last day, both included, actual and estimated, however many pages.

    With a pace it waits after each page, of 1 MB at most.
    """
    items: list[Item] = []
    for estimated in (False, True):
        pages = client.get_paginator("query").paginate(
            TableName=table,
            ReturnConsumedCapacity="TOTAL" if pace else "NONE",
            KeyConditionExpression="pk = :pk and sk between :first and :last",
            ExpressionAttributeValues={
                ":pk": {"S": partition_key(nmi, estimated=estimated)},
                ":first": {"S": first.isoformat()},
                # Every sort key of the last day has a suffix after its date, so all are below the bare next day.
                ":last": {"S": (last + timedelta(days=1)).isoformat()},
            },
        )
        for page in pages:
            items.extend(page["Items"])
            if pace:
                pace.spend(page["ConsumedCapacity"]["CapacityUnits"])
    return items


def read_site(
    client: "DynamoDBClient", table: str, nmi: str, first: date, last: date, *, pace: Pace | None = None
) -> SiteDays:
    """Read and decode the days of an NMI, from first to last, both included; without what runs wrote.

    Raises InvalidInput for items that no service of the platform would have written, whatever is wrong with them.
    """
    items = query_items(client, table, nmi, first, last, pace=pace)
    try:
        return decode_items(items)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise InvalidInput(f"NMI {nmi}: an item of its interval reads cannot be decoded: {error!r}") from error


def _decode_usable(items: list[Item]) -> SiteDays:
    # Hundreds of days a call, millions a run: whatever is done here for each day is done a few hundred million times.
    keys, chosen = _newest(items)
    fields = [_FIELDS(item) for item in chosen]  # once: an item is scattered over the memory
    lengths = _integers([length["N"] for length, _, _, _ in fields])
    half_hours = _to_half_hours(chosen, [packed["B"] for _, _, packed, _ in fields], lengths)
    marks = _marks_of(chosen, [runs["S"] for _, _, _, runs in fields], lengths)
    excluded = np.array([mark[1] for mark in marks], dtype=np.int64)
    missing = np.array([mark[2] for mark in marks], dtype=np.int64)
    _blank_missing(half_hours, missing)
    scales = np.array(_integers([scale["N"] for _, scale, _, _ in fields]), dtype=np.int16)
    _check_scales(scales, chosen)
    _reduce_scales(half_hours, scales)
    _fit_int4(half_hours, scales)
    return SiteDays(
        nmis=keys.nmis,
        suffixes=keys.suffixes,
        days=np.array(keys.days, dtype="datetime64[D]"),
        scales=scales,
        half_hours=half_hours.astype(np.int32),
        qualities=[mark[0] for mark in marks],
        excluded=excluded,
        missing=missing,
        totals=half_hours.sum(axis=1) * _POWERS[MAX_SCALE - scales],
        items_read=len(items),
        newest_update=max([item["upd"]["S"] for item in items], default=None),
    )


def _integers(texts: list[str]) -> list[int]:
    """The numbers of a few different texts."""
    values = {text: int(text) for text in set(texts)}
    return [values[text] for text in texts]


def _newest(items: list[Item]) -> tuple[DayKeys, list[Item]]:
    """One item per NMI, suffix and day: the newest; of two equally new ones, the actual. Sorted by these three."""
    partitions = [item["pk"]["S"] for item in items]
    sort_keys = [item["sk"]["S"] for item in items]
    nmi_of = {partition: partition.split("|")[3] for partition in set(partitions)}
    keys = DayKeys(
        [nmi_of[partition] for partition in partitions],
        [key[11:] for key in sort_keys],
        [key[:10] for key in sort_keys],
    )
    if len(nmi_of) == 1 and all(map(lt, sort_keys, sort_keys[1:])):  # nearly always: a query gives them in order
        if len(set(keys.suffixes)) == 1:
            return keys, items
        order = sorted(range(len(items)), key=keys.suffixes.__getitem__)  # days of a suffix stay in order
        return DayKeys(*([part[at] for at in order] for part in keys)), [items[at] for at in order]
    each = list(zip(*keys, strict=True))
    best = dict(zip(each, items, strict=True))
    if len(best) < len(items):  # days that were read more than once, or estimated before they were read
        for key, item in zip(each, items, strict=True):
            if _precedence(item) > _precedence(best[key]):
                best[key] = item
    ordered = sorted(best)
    return DayKeys(*([key[part] for key in ordered] for part in range(3))), [best[key] for key in ordered]


def _precedence(item: Item) -> tuple[str, bool]:
    return item["upd"]["S"], item["pk"]["S"].endswith("|ACT")


def _to_half_hours(items: list[Item], packed: list[bytes], lengths: list[int]) -> npt.NDArray[np.int64]:
    kinds = set(lengths)
    if len(kinds) == 1:  # nearly always: a meter keeps its interval length
        return _sum_to_half_hours(items, packed, lengths[0])
    half_hours = np.empty((len(items), HALF_HOURS), dtype=np.int64)
    for length in kinds:
        rows = [row for row, own in enumerate(lengths) if own == length]
        half_hours[rows] = _sum_to_half_hours([items[row] for row in rows], [packed[row] for row in rows], length)
    return half_hours


def _sum_to_half_hours(items: list[Item], packed: list[bytes], length: int) -> npt.NDArray[np.int64]:
    """Unpack the values of items of one interval length and sum their intervals, exactly, to n x 48."""
    count = _interval_count(length, _where(items[0]))
    if set(map(len, packed)) != {count * 4}:
        item, value = next(pair for pair in zip(items, packed, strict=True) if len(pair[1]) != count * 4)
        raise InvalidInput(f"{_where(item)}: {len(value)} bytes of values where {length} minutes need {count * 4}")
    size = count // HALF_HOURS
    values = np.frombuffer(b"".join(packed), dtype="<u4").reshape(len(items), HALF_HOURS, size)
    half_hours = values[:, :, 0].astype(np.int64)
    for part in range(1, size):  # six whole-array additions are several times faster than a sum over an axis of six
        half_hours += values[:, :, part]
    return half_hours


def _blank_missing(half_hours: npt.NDArray[np.int64], missing: npt.NDArray[np.int64]) -> None:
    """Set missing half-hours to 0: a half-hour of which a part is missing is estimated as a whole."""
    rows = np.flatnonzero(missing)
    bits = missing[rows, np.newaxis] >> np.arange(HALF_HOURS) & 1
    half_hours[rows] = np.where(bits == 1, 0, half_hours[rows])


def _reduce_scales(half_hours: npt.NDArray[np.int64], scales: npt.NDArray[np.int16]) -> None:
    """Bring every day, in place, to the smallest scale that loses nothing."""
    rows = np.flatnonzero(scales)
    while rows.size:
        # A few half-hours first: most days that cannot be brought further show it in any of them.
        rows = rows[(half_hours[rows, ::SAMPLED] % 10 == 0).all(axis=1)]
        quotients = half_hours[rows] // 10
        whole = (quotients * 10 == half_hours[rows]).all(axis=1)
        rows = rows[whole]
        half_hours[rows] = quotients[whole]
        scales[rows] -= 1
        rows = rows[scales[rows] > 0]


def _fit_int4(half_hours: npt.NDArray[np.int64], scales: npt.NDArray[np.int16]) -> None:
    """Give a day whose half-hours do not fit 32 bits, in place, fewer decimals.

    Rounding keeps the day's sum up to any half-hour right to the last decimal left. What does not fit in whole kWh is
    no read, and is cut off.
    """
    rows = np.flatnonzero((half_hours.max(axis=1, initial=0) > INT4_MAX) & (scales > 0))
    while rows.size:
        sums = (half_hours[rows].cumsum(axis=1) + 5) // 10
        half_hours[rows] = np.diff(sums, axis=1, prepend=0)
        scales[rows] -= 1
        rows = rows[(half_hours[rows].max(axis=1) > INT4_MAX) & (scales[rows] > 0)]
    np.minimum(half_hours, INT4_MAX, out=half_hours)


def _check_scales(scales: npt.NDArray[np.int16], items: list[Item]) -> None:
    wrong = np.flatnonzero((scales < 0) | (scales > MAX_SCALE))
    if wrong.size:
        raise InvalidInput(f"{_where(items[int(wrong[0])])}: scale {scales[wrong[0]]} is not 0 to {MAX_SCALE}")


def _marks_of(items: list[Item], qualities: list[str], lengths: list[int]) -> list[Marks]:
    """Each item's marks. Most days share a few texts, each of which is looked at once."""
    texts = list(zip(qualities, lengths, strict=True))
    known = {}
    for text, item in dict(zip(texts, items, strict=True)).items():
        try:
            known[text] = _half_hour_marks(*text)
        except InvalidInput as error:
            raise InvalidInput(f"{_where(item)}: {error}") from error
    return [known[text] for text in texts]


@lru_cache(maxsize=4096)
def _half_hour_marks(quality_runs: str, length: int) -> Marks:
    """Work out a day's 48 qualities, its excluded and its missing bits. Most days of a portfolio share a few texts."""
    count = MINUTES_PER_DAY // length
    parts = _parse_quality_runs(quality_runs, count)
    size = count // HALF_HOURS
    halves = "".join(
        max(parts[start : start + size], key=QUALITIES_BEST_FIRST.index) for start in range(0, count, size)
    )
    excluded = sum(1 << position for position, quality in enumerate(halves) if quality in EXCLUDED)
    missing = sum(1 << position for position, quality in enumerate(halves) if quality == "N")
    return halves, excluded, missing


@lru_cache(maxsize=4096)
def _parse_quality_runs(quality_runs: str, count: int) -> str:
    """Expand `1-20:A,21-48:E57` to one letter per interval; the runs must follow each other and cover the day."""
    letters = ""
    for run in quality_runs.split(","):
        span, _, quality = run.partition(":")
        start, _, end = span.partition("-")
        if not (start.isdigit() and end.isdigit() and quality[:1] in tuple(QUALITIES_BEST_FIRST)):
            raise InvalidInput(f"{run!r} is not a quality run such as 1-48:A")
        if int(start) != len(letters) + 1 or not int(start) <= int(end) <= count:
            raise InvalidInput(f"quality run {run!r} leaves a gap, overlaps or is outside 1 to {count}")
        letters += quality[0] * (int(end) - int(start) + 1)
    if len(letters) != count:
        raise InvalidInput(f"qualities cover {len(letters)} of {count} intervals")
    return letters


def _interval_count(length: int, where: str) -> int:
    if length not in INTERVAL_MINUTES:
        raise InvalidInput(f"{where}: intervals of {length} minutes; only 5, 15 and 30 can be stored")
    return MINUTES_PER_DAY // length


def _nmi(item: Item) -> str:
    nmi: str = item["pk"]["S"].split("|")[3]
    return nmi


def _where(item: Item) -> str:
    return f"NMI {_nmi(item)} suffix {item['sk']['S'][11:]} on {item['sk']['S'][:10]}"
