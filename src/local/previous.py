"""The exports of an earlier month, put where a run looks for them: into the accrual's bucket, before it starts."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from local.aws import names
from shared.errors import InvalidInput
from shared.report import history
from shared.steps.folders import CONTROL, LATEST, booked_folder, booked_runs


@dataclass(frozen=True)
class Previous:
    """The folder OUT of an earlier month: its run date, and the names of its files, control.json last."""

    place: Path
    run_date: date
    files: tuple[str, ...]


def read(place: Path, run_date: date) -> Previous:
    """Look at the folder of an earlier month; raises InvalidInput when it is none, or is not as it was written."""
    try:
        control = json.loads((place / CONTROL).read_bytes())
        earlier, files = date.fromisoformat(control["run_date"]), control["files"]
        hashes = {name: file["sha256"] for name, file in files.items()}
    except OSError as error:
        raise InvalidInput(
            f"PREVIOUS={place} is not the OUT of a run: it has no {CONTROL} ({error.strerror})"
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInput(f"PREVIOUS={place} is not the OUT of a run: its {CONTROL} is not a run's") from error
    if earlier >= run_date:
        raise InvalidInput(f"PREVIOUS={place} is the run of {earlier}, which is not before that of {run_date}")
    changed = [name for name, sha256 in sorted(hashes.items()) if _sha256(place / name) != sha256]
    if changed:
        raise InvalidInput(
            f"PREVIOUS={place}: {', '.join(changed)} is not the file that {CONTROL} lists; run that month again"
        )
    made = (
        [history.FILE] if (place / history.FILE).is_file() else []
    )  # by its report, which came after the control totals
    return Previous(place, earlier, (*sorted(hashes), *made, CONTROL))


def put(s3: Any, previous: Previous) -> None:
    """Put its files into the accrual's bucket, where the first attempt of that run would have kept them."""
    for name in previous.files:
        s3.upload_file(str(previous.place / name), names.BUCKET, f"{booked_folder(previous.run_date, 1)}{name}")
    latest = json.dumps({"attempt": 1, "sha256": _sha256(previous.place / CONTROL)}).encode()
    s3.put_object(Bucket=names.BUCKET, Key=f"{booked_runs(previous.run_date)}{LATEST}", Body=latest)


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
