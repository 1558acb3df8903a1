"""Where a run's exported files are in the accrual's bucket."""

from datetime import date

EXPORTS = "export/csv/"
BOOKED = "export/booked/"
OUTBOUND = "ADH/OUTBOUND/BUA/"  # of the integration bucket
CONTROL = "control.json"
LATEST = "latest.json"
REPORT_FILES = ("report.html", "report.xlsx", "report.json", "trueup.csv", "journal.csv", "journal_gst_memo.csv")


def folder(run_date: date) -> str:
    """Where an export writes its files, and the next one of the run replaces them."""
    return f"{EXPORTS}{run_date.isoformat()}/"


def booked_runs(run_date: date) -> str:
    """Where a run's complete exports are kept, each in a folder of its own, and latest.json, which names the latest."""
    return f"{BOOKED}{run_date.isoformat()}/"


def booked_folder(run_date: date, attempt: int) -> str:
    """Where the complete files of an attempt at the export are kept; nothing there is ever replaced."""
    return f"{booked_runs(run_date)}{attempt:02d}/"


def evidence_file(name: str, part: int) -> str:
    """A file of the evidence, in the folder of the run."""
    return f"evidence/{name}/{part:04d}.parquet"
