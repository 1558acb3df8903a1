"""What lies in a portfolio folder: its files by name, and whatever else was put there."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from local.platform.nem12_archives import MAX_BYTES, is_litter
from local.platform.nem12_reader import DOCUMENTS, looks_like_meter_data
from local.platform.text import printable
from local.portfolio.problems import Problems

REQUIRED = (
    "accounts.csv",
    "registers.csv",
    "plans.csv",
    "time_classes.csv",
    "invoices.csv",
    "invoice_lines.csv",
    "basic_reads.csv",
    "gas_volumes.csv",
)
OPTIONAL = ("account_plans.csv", "public_holidays.csv", "temperatures.csv")
# The demo portfolio's answers lie beside its files; they are never read as input.
IGNORED = ("truth.csv",)
NEM12 = "nem12"
NEM12_ENDINGS = (".csv", ".csv.gz", ".zip")
KNOWN = (*REQUIRED, *OPTIONAL, *IGNORED, NEM12)
PACKED = (".zip", ".gz", ".7z", ".rar", ".tar", ".tgz")


@dataclass
class Contents:
    """The folder's CSV files by name, its meter data files in order of their names, and what was passed over."""

    tables: dict[str, Path] = field(default_factory=dict)
    meter_files: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def survey(folder: Path, problems: Problems) -> Contents:
    """Find the portfolio's files. What is not part of one is a problem, unless it can do no harm: that is remarked."""
    contents = Contents()
    if not _is_folder(folder):
        problems.add(str(folder), 0, "folder", "does not exist, give a folder with the portfolio's files")
        return contents
    entries = _entries(folder, folder.name, problems)
    for path in entries:
        wanted = next((name for name in KNOWN if name == path.name.casefold()), None)
        if wanted is None:
            _stranger(path, path.name, contents, problems)
        elif wanted != path.name:
            problems.add(path.name, 0, "file", f"is not written as {wanted}, rename it")
        elif wanted == NEM12:
            _survey_meter_data(path, contents, problems)
        elif _is_file(path, path.name, problems) and wanted not in IGNORED:
            contents.tables[wanted] = path
    present = {path.name.casefold() for path in entries}
    for name in REQUIRED:
        if name not in present:
            problems.add(name, 0, "file", "is missing; where there is nothing to tell, it holds its header alone")
    return contents


def content_of(path: Path, name: str, problems: Problems) -> bytes | None:
    """Return a file's bytes, or None after reporting why they cannot be had."""
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.add(name, 0, "file", f"is larger than {MAX_BYTES // 2**20} MiB, split it")
            return None
        return path.read_bytes()
    except OSError as error:
        problems.add(name, 0, "file", f"cannot be read ({error.strerror}), see to its permissions or copy it anew")
        return None


def _survey_meter_data(folder: Path, contents: Contents, problems: Problems) -> None:
    if not _is_folder(folder):
        problems.add(NEM12, 0, "folder", "is no folder, make it one and put the meter data files into it")
        return
    for path in _entries(folder, NEM12, problems):
        name = f"{NEM12}/{path.name}"
        if is_litter(path.name) or _is_hidden(path, name, contents) or not _is_file(path, name, problems):
            continue
        if path.name.lower().endswith(NEM12_ENDINGS):
            contents.meter_files.append(path)
        elif path.name.lower().endswith(DOCUMENTS) and not _begins_as_meter_data(path, name, problems):
            contents.remarks.append(f"{printable(name)}: holds no meter data, passed over")
        else:
            problems.add(name, 0, "file", "is no .csv, .csv.gz or .zip, remove it, or rename it if it is one")


def _stranger(path: Path, name: str, contents: Contents, problems: Problems) -> None:
    """Judge what no portfolio has."""
    lower = name.lower()
    if is_litter(name) or _is_hidden(path, name, contents):
        return
    if lower.endswith(DOCUMENTS) and _is_readable(path):
        contents.remarks.append(f"{printable(name)}: is not part of a portfolio, passed over")
    elif _is_folder(path):
        problems.add(name, 0, "folder", "is not part of a portfolio, remove it; meter data files go into nem12/")
    elif lower.startswith(NEM12) or lower.endswith(PACKED):
        reason = "is not part of a portfolio; meter data files go into nem12/, other files are not packed"
        problems.add(name, 0, "file", reason)
    else:
        reason = f"is not part of a portfolio ({', '.join((*REQUIRED, *OPTIONAL))}), remove it or correct its name"
        problems.add(name, 0, "file", reason)


def _entries(folder: Path, name: str, problems: Problems) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        problems.add(name, 0, "folder", f"cannot be read ({error.strerror}), see to its permissions")
        return []


def _is_hidden(path: Path, name: str, contents: Contents) -> bool:
    if not path.name.startswith("."):
        return False
    contents.remarks.append(f"{printable(name)}: is hidden, passed over")
    return True


def _is_file(path: Path, name: str, problems: Problems) -> bool:
    if _is_readable(path):
        return True
    if _is_folder(path):
        reason = "is a folder, put a file of this name in its place"
        if name.startswith(NEM12):
            reason = "is a folder, put its files into nem12/ itself"
    else:
        reason = "leads to nothing that can be read, put the file itself there"
    problems.add(name, 0, "file", reason)
    return False


def _begins_as_meter_data(path: Path, name: str, problems: Problems) -> bool:
    content = content_of(path, name, problems)
    return content is not None and looks_like_meter_data(content)


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir() raises for what may not be looked at


def _is_readable(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - as above
