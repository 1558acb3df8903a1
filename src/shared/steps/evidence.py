"""The evidence beside the exported CSV files: what the report reads, as Parquet, each file of a part of the accounts."""

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from psycopg2 import sql

from shared import parquet
from shared.aws import s3
from shared.context import Context
from shared.database.connections import Cursor
from shared.steps.folders import evidence_file, folder
from shared.telemetry import logger
from shared.work.items import Perform, work_off
from shared.work.messages import Work

Schema = dict[str, str]

TEXT, DAY, COUNT, FLAG, ID = "VARCHAR", "DATE", "INTEGER", "BOOLEAN", "BIGINT"
DOLLARS, UNITS, RATE, SCALAR = "DECIMAL(18,2)", "DECIMAL(18,6)", "DECIMAL(18,8)", "DECIMAL(30,15)"


@dataclass(frozen=True)
class Table:
    """A table of the evidence: the function of schema bua that returns it, its columns with their types, their order.

    is_whole: one file of the whole run, and not one for each part of its accounts.
    """

    function: str
    columns: Schema
    keys: tuple[str, ...]
    is_whole: bool = False

    @property
    def added_up(self) -> tuple[str, ...]:
        """The columns whose sums say something: units, dollars, days."""
        return tuple(name for name, kind in self.columns.items() if kind in (UNITS, DOLLARS) or name == "days")


TABLES: dict[str, Table] = {
    "account_days": Table(
        "evidence_account_days",
        {
            "account_id": TEXT, "local_date": DAY, "line_no": COUNT, "item_type": TEXT, "stream_type": TEXT,
            "time_class": TEXT, "line_state": TEXT, "quantity": UNITS, "net_amount": DOLLARS, "gst_amount": DOLLARS,
            "discount_net": DOLLARS, "discount_net_propensity": DOLLARS, "rate": RATE, "plan_item_id": ID, "method": TEXT,
        },
        ("account_id", "local_date", "line_no"),
    ),
    "account_spans": Table(
        "evidence_account_spans",
        {
            "account_id": TEXT, "site_id": TEXT, "fuel": TEXT, "jurisdiction": TEXT, "customer_class": TEXT,
            "journal_segment": TEXT, "from_date": DAY, "to_date": DAY, "days": COUNT, "state": TEXT, "invoice_id": TEXT,
            "issued_date": DAY, "is_estimated_bill": FLAG, "ageing": TEXT, "recoverable": TEXT,
        },
        ("account_id", "from_date"),
    ),
    "billed_lines": Table(
        "evidence_billed_lines",
        {
            "invoice_id": TEXT, "account_id": TEXT, "from_date": DAY, "to_date": DAY, "issued_date": DAY,
            "is_estimated": FLAG, "item_type": TEXT, "stream_type": TEXT, "time_class": TEXT, "quantity": UNITS,
            "net_amount": DOLLARS, "days": COUNT,
        },
        ("account_id", "invoice_id", "invoice_line_item_id"),
    ),
    "scalars": Table(
        "evidence_scalars",
        {
            "account_id": TEXT, "site_id": TEXT, "meter_serial": TEXT, "register_id": TEXT, "stream_type": TEXT,
            "read_type": TEXT, "gap": COUNT, "method": TEXT, "scalar": SCALAR, "daily_base": SCALAR, "daily_mean": SCALAR,
            "reference_from": DAY, "reference_to": DAY, "reference_days": COUNT, "usage_units": UNITS, "macro_units": UNITS,
            "season_ratio": SCALAR, "season_from": DAY, "season_to": DAY, "is_giant": FLAG, "is_vacant": FLAG,
            "is_capped": FLAG, "first_missing": DAY, "last_missing": DAY, "profile_key": TEXT,
            "degree_slope": SCALAR,
        },
        ("account_id", "site_id", "meter_serial", "register_id", "stream_type", "gap"),
    ),
    "estimated_days": Table(
        "evidence_estimated_days",
        {
            "account_id": TEXT, "meter_serial": TEXT, "register_id": TEXT, "stream_type": TEXT, "origin": TEXT, "gap": COUNT,
            "estimated_date": DAY, "half_hours": COUNT, "day_units": UNITS, "units": UNITS, "delivered_units": UNITS,
        },
        ("account_id", "meter_serial", "register_id", "origin", "estimated_date"),
    ),
    "basic_reads": Table(
        "evidence_basic_reads",
        {
            "account_id": TEXT, "meter_serial": TEXT, "register_id": TEXT, "read_date": DAY, "index_value": UNITS,
            "quantity_factor": SCALAR, "quality": TEXT, "origin": TEXT,
        },
        ("account_id", "meter_serial", "register_id", "read_date", "origin"),
    ),
    "profiles": Table(
        "evidence_profiles", {"profile_key": TEXT, "profile_date": DAY, "units": UNITS, "degree_days": SCALAR},
        ("profile_key", "profile_date"),
        is_whole=True,
    ),
    "back_billing_limits": Table(
        "evidence_back_billing_limits",
        {"jurisdiction": TEXT, "fuel": TEXT, "valid_from": DAY, "months": COUNT, "recoverable_from": DAY},
        ("jurisdiction", "fuel"), is_whole=True,
    ),
    "failed_items": Table(
        "evidence_failed_items", {"run_type": TEXT, "item_key": TEXT, "account_id": TEXT, "reason": TEXT},
        ("run_type", "item_key", "account_id", "reason"), is_whole=True,
    ),
    "variances": Table(
        "evidence_variances",
        {
            "segment": TEXT, "year_month": TEXT, "profile_units": UNITS, "platform_units": UNITS,
            "variance_percent": UNITS, "is_anomaly": FLAG,
        },
        ("segment", "year_month"), is_whole=True,
    ),
}  # fmt: skip


def export(context: Context, work: Work) -> None:
    """Work a message of run type ExportEvidence off: each item is a file, named account_days/0001."""
    with context.database.session(context.remaining_seconds()) as connection:
        work_off(connection, work, _export_files(context))


def _export_files(context: Context) -> Perform:
    def perform(cursor: Cursor, work: Work, items: list[str]) -> None:
        for item in items:
            name, part = item.split("/")
            with tempfile.TemporaryDirectory() as place:
                _export(context, cursor, work.run_date, (name, int(part)), Path(place))

    return perform


def _export(context: Context, cursor: Cursor, run_date: date, file: tuple[str, int], place: Path) -> None:
    name, part = file
    rows, path = place / "rows.csv", place / "rows.parquet"
    with rows.open("wb") as target:
        cursor.copy_expert(_statement(cursor, run_date, name, part), target)
    written = parquet.from_csv(rows, path, TABLES[name].columns, TABLES[name].added_up)
    key = f"{folder(run_date)}{evidence_file(name, part)}"
    with path.open("rb") as source, s3.ObjectWriter(context.client("s3"), context.settings.bucket, key) as writer:
        shutil.copyfileobj(source, writer)
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    cursor.execute(
        "insert into bua.evidence_file (run_date, name, part, rows, bytes, sha256, sums) values (%s, %s, %s, %s, %s, %s, %s)",
        (run_date, name, part, written.rows, writer.bytes_written, digest, json.dumps(written.sums)),
    )
    logger.info("evidence exported", key=key, rows=written.rows, bytes=writer.bytes_written)


def _statement(cursor: Cursor, run_date: date, name: str, part: int) -> sql.Composed:
    table = TABLES[name]
    arguments = [sql.Literal(run_date)]
    if not table.is_whole:
        cursor.execute("select bua.evidence_accounts(%s, %s)", (run_date, part))
        ((accounts,),) = cursor.fetchall()
        arguments.append(sql.Literal(accounts))
    # Text under the C collation is in byte order, whatever the locale of production's database.
    order = [
        sql.SQL('{} collate "C"' if table.columns.get(key) == TEXT else "{}").format(sql.Identifier(key))
        for key in table.keys
    ]
    return sql.SQL("copy (select {} from bua.{}({}) order by {}) to stdout (format csv)").format(
        sql.SQL(", ").join(map(sql.Identifier, table.columns)), sql.Identifier(table.function),
        sql.SQL(", ").join(arguments), sql.SQL(", ").join(order),
    )  # fmt: skip
