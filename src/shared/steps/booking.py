"""What finance may book is kept: every complete export in a folder of its own, where nothing replaces or deletes it."""

import hashlib
import json
from datetime import date, timedelta
from typing import Any

from shared.aws import s3
from shared.context import Context
from shared.errors import ControlTotalsRefused
from shared.steps.folders import BOOKED, CONTROL, LATEST, booked_folder, booked_runs, folder
from shared.steps.requests import RunRequest


def book(context: Context, request: RunRequest) -> dict[str, Any]:
    """Keep the files of a run that add up, in the folder of the attempt, and name it in latest.json.

    Files that are kept already, because a rerun gave the same bytes, are not kept twice. Raises ControlTotalsRefused when
    the run has no control totals.
    """
    bucket, run_date = context.settings.bucket, request.run_date
    control = read(context, f"{folder(run_date)}{CONTROL}")
    if control is None:
        raise ControlTotalsRefused(f"there is no {CONTROL} of {run_date}: start export again")
    digest = hashlib.sha256(control).hexdigest()
    latest = latest_booked(context, run_date)
    if latest and latest["sha256"] == digest:
        return {"kept": 0, "attempt": latest["attempt"]}
    attempt = int(context.ledger.step("export", run_date)["attempts"])
    target = (bucket, booked_folder(run_date, attempt))
    until = context.now + timedelta(days=context.settings.export_retention_days)
    kept = s3.copy_prefix(
        context.client("s3"), (bucket, folder(run_date)), target, last=CONTROL, retain_until=until
    )  # fmt: skip
    body = json.dumps({"attempt": attempt, "sha256": digest}, sort_keys=True).encode() + b"\n"
    context.client("s3").put_object(Bucket=bucket, Key=f"{booked_runs(run_date)}{LATEST}", Body=body)
    return {"kept": kept, "attempt": attempt}


def latest_booked(context: Context, run_date: date) -> dict[str, Any] | None:
    """The latest attempt of a run whose files are kept: its number, and the SHA-256 of its control.json."""
    body = read(context, f"{booked_runs(run_date)}{LATEST}")
    return json.loads(body) if body else None


def booked_run_dates(context: Context) -> list[date]:
    """The runs that have a folder among those that are kept."""
    pages = context.client("s3").get_paginator("list_objects_v2").paginate(
        Bucket=context.settings.bucket, Prefix=BOOKED, Delimiter="/"
    )  # fmt: skip
    folders = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
    return [date.fromisoformat(name.removeprefix(BOOKED).rstrip("/")) for name in folders]


def read(context: Context, key: str) -> bytes | None:
    """A small object of the accrual's bucket; None when it is not there."""
    client, bucket = context.client("s3"), context.settings.bucket
    # Who may list some prefixes only is told AccessDenied of a key that is not there. So look first.
    if not client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)["KeyCount"]:
        return None
    return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
