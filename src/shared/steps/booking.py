"""What finance may book is kept: every complete export in a folder of its own, where nothing replaces or deletes it."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from shared.aws import s3
from shared.context import Context
from shared.errors import ControlTotalsRefused
from shared.steps import kept
from shared.steps.folders import CONTROL, LATEST, booked_folder, booked_runs, folder
from shared.steps.requests import RunRequest


def book(context: Context, request: RunRequest) -> dict[str, Any]:
    """Keep the files of a run that add up, in the folder of the attempt, and name it in latest.json.

    Files that are kept already, because a rerun gave the same bytes, are not kept twice. Raises ControlTotalsRefused when
    the run has no control totals.
    """
    client, bucket, run_date = context.client("s3"), context.settings.bucket, request.run_date
    control = kept.read(client, bucket, f"{folder(run_date)}{CONTROL}")
    if control is None:
        raise ControlTotalsRefused(f"there is no {CONTROL} of {run_date}: start export again")
    digest = hashlib.sha256(control).hexdigest()
    latest = kept.latest(client, bucket, run_date)
    if latest and latest["sha256"] == digest:
        return {"kept": 0, "attempt": latest["attempt"]}
    attempt = int(context.ledger.step("export", run_date)["attempts"])
    target = (bucket, booked_folder(run_date, attempt))
    until = context.now + timedelta(days=context.settings.export_retention_days)
    count = s3.copy_prefix(client, (bucket, folder(run_date)), target, last=CONTROL, retain_until=until)
    body = json.dumps({"attempt": attempt, "sha256": digest}, sort_keys=True).encode() + b"\n"
    client.put_object(Bucket=bucket, Key=f"{booked_runs(run_date)}{LATEST}", Body=body)
    return {"kept": count, "attempt": attempt}
