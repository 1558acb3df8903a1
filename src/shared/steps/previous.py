"""The run before: the newest earlier month whose files lie in the accrual's bucket, complete."""

import hashlib
import json
from datetime import date
from typing import Any

from shared.context import Context
from shared.steps.folders import CONTROL, EXPORTS, folder

NONE = "There is no earlier run in the export bucket: this is the first."


def run_before(context: Context, run_date: date) -> dict[str, Any] | str:
    """What the control totals of the run before were, or a sentence that there is none.

    Runs of the same or a later date do not count, so that a rerun finds what the first one found.
    """
    for earlier in sorted((found for found in _run_dates(context) if found < run_date), reverse=True):
        control = _control_file(context, earlier)
        if control is not None:
            document = json.loads(control)
            totals = {name: document[name] for name in ("run_date", "period", "totals", "accounts")}
            return totals | {"sha256": hashlib.sha256(control).hexdigest()}
    return NONE


def _run_dates(context: Context) -> list[date]:
    pages = context.client("s3").get_paginator("list_objects_v2").paginate(
        Bucket=context.settings.bucket, Prefix=EXPORTS, Delimiter="/"
    )  # fmt: skip
    folders = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
    return [date.fromisoformat(name.removeprefix(EXPORTS).rstrip("/")) for name in folders]


def _control_file(context: Context, run_date: date) -> bytes | None:
    client = context.client("s3")
    try:
        found = client.get_object(Bucket=context.settings.bucket, Key=f"{folder(run_date)}{CONTROL}")
    except client.exceptions.NoSuchKey:
        return None
    return bytes(found["Body"].read())
