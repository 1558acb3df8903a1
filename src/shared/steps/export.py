"""bua-export: write the export tables to S3 as CSV, and hand all files over to finance."""

import io
from datetime import date
from typing import Any

from psycopg2 import sql

from shared.aws import s3
from shared.context import Context
from shared.database.connections import Cursor
from shared.steps import telling
from shared.steps.control import readable
from shared.steps.folders import CONTROL, OUTBOUND, folder
from shared.steps.requests import RunRequest
from shared.telemetry import logger
from shared.work.items import Perform, work_off
from shared.work.messages import Work

CHUNK_BYTES = 1024 * 1024
SORT_MEMORY = "256MB"  # of a file's rows; more go through temporary files

# One work item per file: the view of schema bua that it copies, and the columns that order its rows.
EXPORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "BUAAccountSummary": ("export_account_summary", ("account_id",)),
    "InvoiceLineItemMonthly": (
        "export_invoice_line_item_monthly",
        ("account_id", "year_month", "item_type", "stream_type", "time_class", "line_state", "line_no"),
    ),
    "estimate_bands": ("export_estimate_bands", ("level", "fuel", "segment")),
    "exceptions": ("export_exceptions", ("account_id", "run_types", "item_key")),
    "implausible_reads": (
        "export_implausible_reads",
        ("account_id", "site_id", "meter_serial", "register_id", "read_date", "reason"),
    ),
    "profile_marks": (
        "export_profile_marks",
        ("fuel", "jurisdiction", "customer_class", "stream_type", "node", "profile_date", "reason", "source_date"),
    ),
    "summary": (
        "export_summary",
        ("jurisdiction", "fuel", "journal_segment", "year_month", "item_type", "stream_type", "time_class", "uom"),
    ),
}


def clear_csv(context: Context, request: RunRequest) -> dict[str, Any]:
    """Remove the run's old CSV files."""
    removed = s3.delete_prefix(context.client("s3"), context.settings.bucket, folder(request.run_date))
    return {"removed": removed}


def clear_outbound(context: Context, request: RunRequest) -> dict[str, Any]:
    """Remove the old files from the integration bucket."""
    del request
    return {"removed": s3.delete_prefix(context.client("s3"), context.settings.integration_bucket, OUTBOUND)}


def copy_outbound(context: Context, request: RunRequest) -> dict[str, Any]:
    """Copy the run's CSV files to the integration bucket, control.json last: a folder without it is not complete."""
    source = (context.settings.bucket, folder(request.run_date))
    target = (context.settings.integration_bucket, OUTBOUND)
    return {"copied": s3.copy_prefix(context.client("s3"), source, target, last=CONTROL)}


class ReportFailed(RunRequest):
    """export.report_failed"""

    error: str
    cause: str


def report_failed(context: Context, request: ReportFailed) -> dict[str, str]:
    """Tell finance that the files are there without a report; returns error and cause as a person reads them."""
    error, cause = readable(request.error, request.cause)
    logger.error("the report could not be made", error=error, cause=cause)
    telling.report_failed(context.settings, context.client("sns"), request.run_date, f"{error}: {cause}")
    return {"error": error, "cause": cause}


def export(context: Context, work: Work) -> None:
    """Work a message of run type Export off: each item is a file."""
    with context.database.session(context.remaining_seconds()) as connection:
        work_off(connection, work, _export_files(context))


def _export_files(context: Context) -> Perform:
    def perform(cursor: Cursor, work: Work, items: list[str]) -> None:
        for item in items:
            _export(context, cursor, work.run_date, item)

    return perform


def _export(context: Context, cursor: Cursor, run_date: date, item: str) -> None:
    view, keys = EXPORTS[item]
    # Under the C collation rows are in byte order, whatever the locale of production's database.
    order = sql.SQL(", ").join(sql.SQL('{}::text collate "C"').format(sql.Identifier(key)) for key in keys)
    statement = sql.SQL(
        "copy (select * from bua.{view} where run_date = {run_date} order by {order}) to stdout (format csv, header)"
    ).format(view=sql.Identifier(view), run_date=sql.Literal(run_date), order=order)
    key = f"{folder(run_date)}{item}.csv"
    cursor.execute(sql.SQL("set local work_mem = {}").format(sql.Literal(SORT_MEMORY)))
    with s3.ObjectWriter(context.client("s3"), context.settings.bucket, key) as writer:
        buffered = io.BufferedWriter(writer, CHUNK_BYTES)  # rows come one by one
        cursor.copy_expert(statement, buffered)
        buffered.flush()
    logger.info("file exported", key=key, bytes=writer.bytes_written)
