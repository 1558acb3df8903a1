"""bua-nem12: files of estimated interval reads, written to S3 and loaded by meterdata like any other."""

import json
from datetime import date
from itertools import groupby
from typing import Any

from shared.aws import s3
from shared.context import Context
from shared.database.connections import Cursor
from shared.metering.nem12 import EstimatedDay, write_nem12
from shared.steps.requests import RunRequest
from shared.work.items import Perform, work_off
from shared.work.messages import Work


def prefix(run_date: date) -> str:
    """Where a run's meter data files are in the bucket."""
    return f"nem12/{run_date.isoformat()}/"


def clear_files(context: Context, request: RunRequest) -> dict[str, Any]:
    """Remove the files of an earlier attempt: what this one does not generate must not stay."""
    return {"removed": s3.delete_prefix(context.client("s3"), context.settings.bucket, prefix(request.run_date))}


def generate(context: Context, work: Work) -> None:
    """Work a message of run type NEM12 off: a file per NMI, and one workflow instance that loads those of the message."""
    with context.database.session(context.remaining_seconds()) as connection:
        work_off(connection, work, _generate_files(context))


def _generate_files(context: Context) -> Perform:
    def perform(cursor: Cursor, work: Work, items: list[str]) -> None:
        files = _files(cursor, work.run_date, items)
        nothing = sorted(set(items) - set(files))
        if nothing:
            cursor.execute(
                "call bua.skip_work_items(%s, %s, %s, %s)",
                (work.run_date, work.run_type, nothing, "Nothing to estimate the missing reads from"),
            )
        if not files:
            return
        keys = {nmi: f"{prefix(work.run_date)}{nmi}.csv" for nmi in files}
        payload = {
            "run_date": work.run_date.isoformat(),
            "bucket": context.settings.bucket,
            "keys": list(keys.values()),
        }
        cursor.execute(
            "insert into core.workflow_instance (workflow_name, payload, run_date) values ('LOAD_NEM12', %s, %s)",
            (json.dumps(payload), work.run_date),
        )
        # Last, because a rollback does not remove them: an item that fails must not leave a file.
        for nmi, content in files.items():
            context.client("s3").put_object(Bucket=context.settings.bucket, Key=keys[nmi], Body=content)

    return perform


def _files(cursor: Cursor, run_date: date, items: list[str]) -> dict[str, bytes]:
    cursor.execute(
        "select site_id, suffix, meter_serial, register_id, profile_date, half_hours, qualities"
        " from bua.generate_nem12_days(%s, %s) order by site_id, suffix, profile_date",
        (run_date, items),
    )
    return {
        nmi: write_nem12([EstimatedDay(*row) for row in rows], run_date)
        for nmi, rows in groupby(cursor.fetchall(), key=lambda row: str(row[0]))
    }
