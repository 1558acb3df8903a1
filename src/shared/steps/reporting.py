"""The report of a run: made from the files that are kept, put beside them, handed over and told to finance.

It comes after the files are handed over: whatever happens here, finance has them.
"""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.aws import s3
from shared.errors import InvalidInput
from shared.report.make import REPORT, make
from shared.settings import Settings
from shared.steps import kept, telling
from shared.steps.folders import CONTROL, OUTBOUND, booked_folder
from shared.telemetry import logger

FINANCE = (
    "finance/finance.yaml"  # finance's own accounts and thresholds; without it those of src/shared/report/finance.yaml
)


def report(
    settings: Settings, client: Callable[[str], Any], run_date: date, now: datetime, place: Path
) -> dict[str, Any]:
    """Make the report of a run in `place`, an empty folder, and return its headline.

    Raises InvalidInput when no complete export of the run is kept, or finance's parameters are wrong.
    """
    store, bucket = client("s3"), settings.bucket
    latest = kept.latest(store, bucket, run_date)
    if latest is None:
        raise InvalidInput(f"no complete export of {run_date} is kept: start export first")
    folder = booked_folder(run_date, int(latest["attempt"]))
    s3.download_prefix(store, bucket, folder, place / "now")
    made = place / "report"
    before, parameters = _previous(store, bucket, place), _parameters(store, bucket, place)
    make(place / "now", made, before, parameters, settings.memory_mb)
    until = now + timedelta(days=settings.export_retention_days)
    for path in sorted(made.iterdir()):
        s3.upload(store, path, (bucket, folder + path.name), retain_until=until)
        s3.upload(store, path, (settings.integration_bucket, OUTBOUND + path.name))
    told = json.loads((made / REPORT).read_text(encoding="utf-8"))
    telling.report_made(settings, client("sns"), run_date, folder, told)
    logger.info("report made", folder=folder, headline=told["headline"])
    return {"headline": told["headline"], "may_post": told["may_post"], "folder": folder}


def _previous(store: Any, bucket: str, place: Path) -> Path | None:
    """The files of the run before that the control totals name: the same ones, even if that month was run again since."""
    before = json.loads((place / "now" / CONTROL).read_text(encoding="utf-8"))["previous_run"]
    if isinstance(before, str):
        return None
    folder = kept.named(store, bucket, date.fromisoformat(before["run_date"]), before["sha256"])
    if folder is None:
        raise InvalidInput(f"the files of the run before, {before['run_date']}, are no longer kept as they were")
    s3.download_prefix(store, bucket, folder, place / "before")
    return place / "before"


def _parameters(store: Any, bucket: str, place: Path) -> Path | None:
    body = kept.read(store, bucket, FINANCE)
    if body is None:
        return None
    (place / "finance.yaml").write_bytes(body)
    return place / "finance.yaml"
