"""From meter data files to the items of an interval store: units, scales, the newest version of a day, batched writes."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from local.platform.nem12_fields import (
    OLD_INTERVAL_MINUTES,
    Fault,
    MeterDataFile,
    MeterDataRefused,
    QualityRuns,
    ReadDay,
)
from shared.errors import InvalidInput
from shared.metering.interval_store import (
    HALF_HOURS,
    INT4_MAX,
    KWH,
    MAX_SCALE,
    QUALITIES_BEST_FIRST,
    DayReads,
    encode_day,
)
from shared.metering.nem12 import quality_runs

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH = 25  # BatchWriteItem takes no more
WORKERS = 4

DayKey = tuple[str, str, date]  # NMI, suffix, market day
Version = tuple[ReadDay, str]  # and its file


def to_items(
    files: Iterable[MeterDataFile], *, run_date: date | None = None, origin: str | None = None
) -> list[dict[str, Any]]:
    """Encode the days of all files, of each NMI, suffix and day the newest; sorted by those three.

    Raises MeterDataRefused, with file and line of each, for days that two files give differently with the same update
    time and nothing newer, and for days that cannot be stored.
    """
    newest: dict[DayKey, list[Version]] = {}
    for file in files:
        for day in file.days:
            versions = newest.setdefault((day.nmi, day.suffix, day.day), [])
            if not versions or day.updated > versions[0][0].updated:
                versions[:] = [(day, file.name)]
            elif day.updated == versions[0][0].updated:
                versions.append((day, file.name))
    faults: list[Fault] = []
    items = []
    for key in sorted(newest):
        try:
            day, name = _only(newest[key])
            items.append(encode_day(to_stored(day, name, run_date=run_date, origin=origin)))
        except MeterDataRefused as refused:
            faults += refused.faults
        except InvalidInput as error:
            faults.append(Fault(name, day.line, str(error)))
    if faults:
        raise MeterDataRefused(faults)
    return items


def _only(versions: list[Version]) -> Version:
    """Return the version that the first file gives; the others must say the same."""
    day, name = versions[0]
    faults = [
        Fault(
            other_name,
            other.line,
            f"NMI {day.nmi} suffix {day.suffix} on {day.day} has other reads in {name}:{day.line}, "
            "with the same update time: remove one, or give the right one a newer UpdateDateTime",
        )
        for other, other_name in versions[1:]
        if not other.same_reads(day)
    ]
    if faults:
        raise MeterDataRefused(faults)
    return versions[0]


def to_stored(day: ReadDay, file: str, *, run_date: date | None = None, origin: str | None = None) -> DayReads:
    """Bring a day as its file gives it to what the store keeps: kWh, at most six decimals, 5, 15 or 30 minutes.

    Raises InvalidInput for a half-hour that is larger than can be.
    """
    minutes, values, runs = day.interval_minutes, day.values, day.quality_runs
    if minutes == OLD_INTERVAL_MINUTES:
        minutes, values, runs = 30, [sum(values[at : at + 3]) for at in range(0, len(values), 3)], _worst_of_three(runs)
    scale, values = _fitting(day.kwh_scale, values)
    if not _fits(values):
        raise InvalidInput(f"NMI {day.nmi} suffix {day.suffix} on {day.day}: a half-hour of more than {INT4_MAX} kWh")
    return DayReads(
        nmi=day.nmi,
        suffix=day.suffix,
        day=day.day,
        interval_minutes=minutes,
        scale=scale,
        values=values,
        quality_runs=",".join(f"{first}-{last}:{quality}" for first, last, quality in runs),
        uom=KWH,
        file=file,
        updated=day.updated.isoformat(),
        run_date=run_date,
        origin=origin,
    )


def _fitting(scale: int, values: list[int]) -> tuple[int, list[int]]:
    """Bring values to a scale at which each half-hour fits the accrual's 32 bits.

    First by dropping zeros. What still does not fit is a large site with more decimals than its size bears: one
    decimal less, rounded so that the sum of the day up to any interval is right to the last decimal that is left.
    """
    if scale < 0:
        scale, values = 0, [value * 10**-scale for value in values]
    while scale and (scale > MAX_SCALE or not _fits(values)) and not any(value % 10 for value in values):
        scale, values = scale - 1, [value // 10 for value in values]
    while 0 < scale <= MAX_SCALE and not _fits(values):
        sums = [(total + 5) // 10 for total in accumulate(values)]
        scale, values = scale - 1, [after - before for before, after in pairwise([0, *sums])]
    return scale, values


def _fits(values: list[int]) -> bool:
    parts = len(values) // HALF_HOURS
    if max(values) * parts <= INT4_MAX:
        return True
    return all(sum(values[at : at + parts]) <= INT4_MAX for at in range(0, len(values), parts))


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


def _worst_of_three(runs: QualityRuns) -> QualityRuns:
    """Give each half-hour the worst quality of its three intervals of ten minutes."""
    tens = [quality for first, last, quality in runs for _ in range(first, last + 1)]
    halves = [
        max(tens[at : at + 3], key=lambda text: QUALITIES_BEST_FIRST.index(text[0])) for at in range(0, len(tens), 3)
    ]
    return quality_runs(halves)
