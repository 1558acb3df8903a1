"""The run before: the newest earlier month whose complete files are kept."""

import json
from datetime import date
from typing import Any

from shared.context import Context
from shared.steps.booking import booked_run_dates, latest_booked, read
from shared.steps.folders import CONTROL, booked_folder

NONE = "There is no earlier run in the export bucket: this is the first."


def run_before(context: Context, run_date: date) -> dict[str, Any] | str:
    """What the control totals of the run before were, or a sentence that there is none.

    Runs of the same or a later date do not count, so that a rerun finds what the first one found.
    """
    found = find(context, run_date)
    if found is None:
        return NONE
    place, sha256 = found
    document = json.loads(read(context, f"{place}{CONTROL}") or b"")
    return {name: document[name] for name in ("run_date", "period", "totals", "accounts")} | {"sha256": sha256}


def find(context: Context, run_date: date) -> tuple[str, str] | None:
    """Where the files of the run before are kept, and the SHA-256 of its control.json."""
    for earlier in sorted((one for one in booked_run_dates(context) if one < run_date), reverse=True):
        latest = latest_booked(context, earlier)
        if latest:
            return booked_folder(earlier, int(latest["attempt"])), str(latest["sha256"])
    return None
