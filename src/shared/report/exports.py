"""The exported files of a run and of the run before, as tables of a DuckDB database: schemas `now` and `before`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from shared.errors import InvalidInput

CONTROL = "control.json"
CHUNK_BYTES = 1024 * 1024
MONEY, UNITS, RATE = "decimal(18,2)", "decimal(18,3)", "decimal(18,6)"

# The columns of the CSV files that are no text.
TYPES: Mapping[str, str] = {
    **dict.fromkeys(("net_amount", "gst_amount", "discount_amount", "net_estimated", "recoverable_amount", "catch_up_amount"), MONEY),
    **dict.fromkeys(("discount_net", "discount_net_propensity", "net_without_band", "net_mid"), MONEY),
    **dict.fromkeys(("net_low_80", "net_high_80", "net_low_95", "net_high_95"), MONEY),
    **dict.fromkeys(("units_actual", "units_estimated", "units_total", "catch_up_units", "units_exported", "quantity"), UNITS),
    **dict.fromkeys(("units_without_band", "units_low_80", "units_high_80", "units_low_95", "units_high_95"), UNITS),
    **dict.fromkeys(("rate", "rho_1", "rho_2", "rho_3", "rho_4"), RATE),
    **dict.fromkeys(("scalar", "daily_base", "degree_slope"), "double"),
    **dict.fromkeys(("unbilled_days", "billing_days", "estimated_days", "days", "accounts", "line_no", "registers"), "integer"),
    **dict.fromkeys(("run_date", "last_billed_to", "unbilled_from", "unbilled_to", "next_bill_date", "close_date"), "date"),
    **dict.fromkeys(("last_read_date", "reference_from", "reference_to", "period_from", "period_to", "as_at"), "date"),
}  # fmt: skip
FILES = {
    "accounts": "BUAAccountSummary",
    "lines": "InvoiceLineItemMonthly",
    "summary": "summary",
    "exceptions": "exceptions",
    "bands": "estimate_bands",
    "marks": "profile_marks",
    "implausible": "implausible_reads",
}
EVIDENCE = (
    "account_days", "account_spans", "billed_lines", "scalars", "estimated_days", "profiles", "basic_reads", "back_billing_limits",
    "failed_items", "variances",
)  # fmt: skip


@dataclass(frozen=True)
class Export:
    """A run's folder and its control totals."""

    folder: Path
    control: Mapping[str, Any]

    @property
    def run_date(self) -> date:
        """The run's date."""
        return date.fromisoformat(self.control["run_date"])

    def day(self, name: str) -> date:
        """A day of its period: from, to or as_at."""
        return date.fromisoformat(self.control["period"][name])


def read(folder: Path) -> Export:
    """A run's folder; raises InvalidInput when it is not complete."""
    try:
        control = json.loads((folder / CONTROL).read_text(encoding="utf-8"))
        Export(folder, control).day("as_at")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"{folder} is no complete export: {CONTROL} is missing or cannot be read. Give the OUT folder of a run"
        ) from error
    missing = [f"{name}.csv" for name in FILES.values() if not (folder / f"{name}.csv").is_file()]
    missing += [f"evidence/{name}" for name in EVIDENCE if not any((folder / "evidence" / name).glob("*.parquet"))]
    if missing:
        raise InvalidInput(f"{folder} is no complete export: {', '.join(missing)} missing. Run the month again")
    return Export(folder, control)


def attach(database: DuckDBPyConnection, schema: str, export: Export) -> None:
    """Make a schema with the run's files: CSV files as typed tables, evidence as views of its Parquet files."""
    database.execute(f"create schema {schema}")
    for table, name in FILES.items():
        path = _literal(export.folder / f"{name}.csv")
        source = f"read_csv({path}, header = true, all_varchar = true, nullstr = '', quote = '\"', escape = '\"')"
        found = [row[0] for row in database.execute(f"describe from {source}").fetchall()]
        chosen = ", ".join(f'"{one}"::{TYPES.get(one, "varchar")} as "{one}"' for one in found)
        database.execute(f"create table {schema}.{table} as select {chosen} from {source}")
    for name in EVIDENCE:
        path = _literal(export.folder / "evidence" / name / "*.parquet")
        database.execute(f"create view {schema}.{name} as select * from read_parquet({path})")


def changed_files(export: Export) -> list[tuple[str, str, str]]:
    """The files whose SHA-256 is not the one in control.json: name, hash there, hash found (blank if it is missing)."""
    stated = {name: one.get("sha256", "") for name, one in export.control.get("files", {}).items()}
    found = {name: _sha256(export.folder / name) for name in stated}
    return [(name, stated[name], found[name]) for name in sorted(stated) if stated[name] != found[name]]


def _sha256(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _literal(path: Path) -> str:
    """A path as an SQL literal: a view takes no parameters."""
    return "'" + str(path).replace("'", "''") + "'"


def decimal(value: object) -> Decimal:
    """A figure of control.json, where exact decimals are text."""
    return Decimal(str(value))
