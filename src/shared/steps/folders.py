"""Where a run's exported files are in the accrual's bucket."""

from datetime import date

EXPORTS = "export/csv/"
CONTROL = "control.json"


def folder(run_date: date) -> str:
    """The folder of a run."""
    return f"{EXPORTS}{run_date.isoformat()}/"


def evidence_file(name: str, part: int) -> str:
    """A file of the evidence, in the folder of the run."""
    return f"evidence/{name}/{part:04d}.parquet"
