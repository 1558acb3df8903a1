"""From meter data files to the items of an interval store: units, scales, the newest version of a day, batched writes."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

from local.platform.nem12_fields import OLD_INTERVAL_MINUTES, MeterDataFile, QualityRuns, ReadDay
from shared.errors import InvalidInput
from shared.metering.interval_store import MAX_SCALE, QUALITIES_BEST_FIRST, UINT32_MAX, DayReads, encode_day
from shared.metering.nem12 import quality_runs

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH = 25  # BatchWriteItem takes no more
WORKERS = 4

# The unit in which a file's unit is stored, and by how many decimals the point moves.
STORED_UNITS = {
    "WH": ("KWH", 3), "KWH": ("KWH", 0), "MWH": ("KWH", -3),
    "VARH": ("KVARH", 3), "KVARH": ("KVARH", 0), "MVARH": ("KVARH", -3),
    "VAH": ("KVAH", 3), "KVAH": ("KVAH", 0), "MVAH": ("KVAH", -3),
}  # fmt: skip


def to_items(
    files: Iterable[MeterDataFile], *, run_date: date | None = None, origin: str | None = None
) -> list[dict[str, Any]]:
    """Encode the days of all files, of each NMI, suffix and day the newest; sorted by those three.

    Raises InvalidInput when two files give different reads with the same update time, or a day cannot be stored.
    """
    newest: dict[tuple[str, str, date], tuple[ReadDay, str]] = {}
    for file in files:
        for day in file.days:
            key = (day.nmi, day.suffix, day.day)
            other = newest.get(key)
            if other is None or _is_newer(day, file.name, *other):
                newest[key] = day, file.name
    return [encode_day(to_stored(*newest[key], run_date=run_date, origin=origin)) for key in sorted(newest)]


def to_stored(day: ReadDay, file: str, *, run_date: date | None = None, origin: str | None = None) -> DayReads:
    """Bring a day as its file gives it to what the store keeps: kWh, at most six decimals, 5, 15 or 30 minutes."""
    unit, shift = STORED_UNITS.get(day.uom, (day.uom, 0))
    scale, values = day.scale + shift, day.values
    if scale < 0:
        scale, values = 0, [value * 10**-scale for value in values]
    while scale and (scale > MAX_SCALE or max(values) > UINT32_MAX) and not any(value % 10 for value in values):
        scale, values = scale - 1, [value // 10 for value in values]
    minutes, runs = day.interval_minutes, day.quality_runs
    if minutes == OLD_INTERVAL_MINUTES:
        minutes, values, runs = 30, [sum(values[at : at + 3]) for at in range(0, len(values), 3)], _worst_of_three(runs)
    return DayReads(
        nmi=day.nmi,
        suffix=day.suffix,
        day=day.day,
        interval_minutes=minutes,
        scale=scale,
        values=values,
        quality_runs=",".join(f"{first}-{last}:{quality}" for first, last, quality in runs),
        uom=unit,
        file=file,
        updated=day.updated.isoformat(),
        run_date=run_date,
        origin=origin,
    )


def write_items(
    client: "DynamoDBClient", table: str, items: Iterable[dict[str, Any]], *, workers: int = WORKERS
) -> int:
    """Put items into a table, 25 a request, several requests at a time; returns how many.

    No two items may have the same key; an existing item is replaced. Items that the table
    does not accept at once (throttling) are sent again.
    """
    return _write(client, table, [{"PutRequest": {"Item": item}} for item in items], workers)


def delete_keys(
    client: "DynamoDBClient", table: str, keys: Iterable[tuple[str, str]], *, workers: int = WORKERS
) -> int:
    """Delete items by their partition and sort keys; returns how many."""
    requests = [{"DeleteRequest": {"Key": {"pk": {"S": partition}, "sk": {"S": sort}}}} for partition, sort in keys]
    return _write(client, table, requests, workers)


def _write(client: "DynamoDBClient", table: str, requests: list[dict[str, Any]], workers: int) -> int:
    batches = [requests[start : start + BATCH] for start in range(0, len(requests), BATCH)]
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(lambda batch: _write_batch(client, table, batch), batches):
            pass
    return len(requests)


def _write_batch(client: "DynamoDBClient", table: str, batch: list[dict[str, Any]]) -> None:
    unprocessed: Any = {table: batch}
    pause = 0.05
    while unprocessed:
        unprocessed = client.batch_write_item(RequestItems=unprocessed)["UnprocessedItems"]
        if unprocessed:
            time.sleep(pause)
            pause = min(pause * 2, 2.0)


def _is_newer(day: ReadDay, file: str, other: ReadDay, other_file: str) -> bool:
    if day.updated == other.updated and not day.same_reads(other):
        raise InvalidInput(
            f"{file}:{day.line}: NMI {day.nmi} suffix {day.suffix} on {day.day} has other reads in "
            f"{other_file}:{other.line}, with the same update time"
        )
    return day.updated > other.updated


def _worst_of_three(runs: QualityRuns) -> QualityRuns:
    """Give each half-hour the worst quality of its three intervals of ten minutes."""
    tens = [quality for first, last, quality in runs for _ in range(first, last + 1)]
    halves = [
        max(tens[at : at + 3], key=lambda text: QUALITIES_BEST_FIRST.index(text[0])) for at in range(0, len(tens), 3)
    ]
    return quality_runs(halves)
