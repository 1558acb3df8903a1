"""The run before: the newest earlier month whose complete files are kept."""

import json
from datetime import date
from typing import Any

from shared.context import Context
from shared.steps import kept
from shared.steps.folders import CONTROL

NONE = "There is no earlier run in the export bucket: this is the first."


def run_before(context: Context, run_date: date) -> dict[str, Any] | str:
    """What the control totals of the run before were, or a sentence that there is none."""
    client, bucket = context.client("s3"), context.settings.bucket
    found = kept.before(client, bucket, run_date)
    if found is None:
        return NONE
    place, sha256 = found
    document = json.loads(kept.read(client, bucket, f"{place}{CONTROL}") or b"")
    return {name: document[name] for name in ("run_date", "period", "totals", "accounts")} | {"sha256": sha256}
