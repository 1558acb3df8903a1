"""The exports that are kept for finance, as they lie in the accrual's bucket: which runs, which attempts."""

import hashlib
import json
from datetime import date
from typing import Any

from shared.steps.folders import BOOKED, CONTROL, LATEST, booked_folder, booked_runs


def latest(s3: Any, bucket: str, run_date: date) -> dict[str, Any] | None:
    """The latest attempt of a run whose files are kept: its number, and the SHA-256 of its control.json."""
    body = read(s3, bucket, f"{booked_runs(run_date)}{LATEST}")
    return json.loads(body) if body else None


def before(s3: Any, bucket: str, run_date: date) -> tuple[str, str] | None:
    """Where the files of the newest earlier run are kept, and the SHA-256 of its control.json.

    Runs of the same or a later date do not count, so that a rerun finds what the first one found.
    """
    dates = [date.fromisoformat(name) for name in _folders(s3, bucket, BOOKED)]
    for earlier in sorted((one for one in dates if one < run_date), reverse=True):
        found = latest(s3, bucket, earlier)
        if found:
            return booked_folder(earlier, int(found["attempt"])), str(found["sha256"])
    return None


def named(s3: Any, bucket: str, run_date: date, sha256: str) -> str | None:
    """Where the files of a run are kept whose control.json has this hash; None when they are not."""
    for attempt in _folders(s3, bucket, booked_runs(run_date)):
        place = booked_folder(run_date, int(attempt))
        if hashlib.sha256(read(s3, bucket, f"{place}{CONTROL}") or b"").hexdigest() == sha256:
            return place
    return None


def read(s3: Any, bucket: str, key: str) -> bytes | None:
    """A small object; None when it is not there."""
    # Who may list some prefixes only is told AccessDenied of a key that is not there. So look first.
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)["KeyCount"]:
        return None
    return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def _folders(s3: Any, bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    found = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
    return [name.removeprefix(prefix).rstrip("/") for name in found]
