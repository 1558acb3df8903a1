"""The local reference platform's meterdata service: loads meter data files from S3 into its own interval store.

`python -m local.platform.meterdata` executes LOAD_NEM12 instances, payload {"run_date", "bucket", "keys"}: every file
is validated, its days become items of the run, and IMPORT_NEM12 is raised in the transaction that completes the load.
One bad file fails the instance before anything is written. Loading again leaves the same items.
"""

import logging
import os
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

import boto3

from local.platform.engine import Connection, Instance, raise_instance, serve
from local.platform.interval_loader import delete_keys, to_items, write_items
from local.platform.nem12_fields import MeterDataFile
from local.platform.nem12_reader import read_bytes
from shared.metering.interval_store import BUA, partition_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

log = logging.getLogger("platform.meterdata")

Key = tuple[str, str]  # partition and sort key


class Loader:
    """Loads files of runs into one interval store table."""

    def __init__(self, s3: "S3Client", dynamodb: "DynamoDBClient", table: str) -> None:
        self._s3 = s3
        self._dynamodb = dynamodb
        self._table = table

    def load(self, connection: Connection, payload: dict[str, Any], _instance: Instance) -> None:
        """Execute one LOAD_NEM12: handler of the engine, whose transaction it writes IMPORT_NEM12 in."""
        run_date = date.fromisoformat(payload["run_date"])
        files = [file for key in payload["keys"] for file in self._read(payload["bucket"], key)]
        items = to_items(files, run_date=run_date, origin=BUA)
        for remark in (remark for file in files for remark in file.remarks()):
            log.warning("%s", remark)
        stale = self._keys_of_run(_nmis(files), run_date) - {(item["pk"]["S"], item["sk"]["S"]) for item in items}
        delete_keys(self._dynamodb, self._table, sorted(stale))
        write_items(self._dynamodb, self._table, items)
        raise_instance(connection, "IMPORT_NEM12", {"run_date": payload["run_date"], "reads": _reads(files)}, run_date)
        log.info(
            "run %s: %s files, %s days loaded, %s stale ones removed", run_date, len(files), len(items), len(stale)
        )

    def _read(self, bucket: str, key: str) -> list[MeterDataFile]:
        return read_bytes(key, self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def _keys_of_run(self, nmis: list[str], run_date: date) -> set[Key]:
        """Find the items of these NMIs that an earlier load of the run wrote."""
        keys = set()
        for nmi in nmis:
            for estimated in (False, True):
                pages = self._dynamodb.get_paginator("query").paginate(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk",
                    FilterExpression="run_date = :run_date and origin = :origin",
                    ProjectionExpression="pk, sk",
                    ExpressionAttributeValues={
                        ":pk": {"S": partition_key(nmi, estimated=estimated)},
                        ":run_date": {"S": run_date.isoformat()},
                        ":origin": {"S": BUA},
                    },
                )
                keys |= {(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]}
        return keys


def _nmis(files: list[MeterDataFile]) -> list[str]:
    return sorted({day.nmi for file in files for day in file.days})


def _reads(files: list[MeterDataFile]) -> list[dict[str, str]]:
    """Return which days of which NMI and suffix were loaded, in the form that IMPORT_NEM12 expects."""
    days: dict[tuple[str, str], list[date]] = defaultdict(list)
    for file in files:
        for day in file.days:
            days[day.nmi, day.suffix].append(day.day)
    return [
        {"nmi": nmi, "suffix": suffix, "from": min(found).isoformat(), "to": max(found).isoformat()}
        for (nmi, suffix), found in sorted(days.items())
    ]


def main() -> None:
    """Serve until SIGTERM; DATABASE_* and INTERVAL_TABLE from the environment, AWS as boto3 finds it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    loader = Loader(boto3.client("s3"), boto3.client("dynamodb"), os.environ["INTERVAL_TABLE"])
    serve({"LOAD_NEM12": loader.load})


if __name__ == "__main__":
    main()
