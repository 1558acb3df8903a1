"""The control totals: what was exported from what, written beside the files when all of it adds up."""

import hashlib
import json
from datetime import date
from typing import Any

from botocore.exceptions import ClientError
from psycopg2 import sql

from shared.context import Context
from shared.database.connections import Cursor
from shared.errors import ControlTotalsRefused
from shared.steps import intervals
from shared.steps.export import EXPORTS
from shared.steps.folders import CONTROL, evidence_file, folder
from shared.steps.previous import run_before
from shared.steps.requests import RunRequest

CHUNK_BYTES = 1024 * 1024

Files = dict[str, dict[str, Any]]


def write(context: Context, request: RunRequest) -> dict[str, Any]:
    """Write control.json, the run's control totals, beside its files; raises ControlTotalsRefused, naming what is broken."""
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        broken = _broken_identities(cursor, request.run_date)
        cursor.execute("select bua.control_totals(%s)::text", (request.run_date,))
        ((totals,),) = cursor.fetchall()
        csv_files, lost_rows = _csv_files(context, cursor, request.run_date)
        evidence, changed = _evidence_files(context, cursor, request.run_date)
        interval_input = intervals.describe_input(context, cursor, request.run_date)
    broken += [*lost_rows, *changed]
    if broken:
        raise ControlTotalsRefused(f"{len(broken)} identities do not hold: {'; '.join(broken)}")
    # Exact decimals stay as they are written; there is no clock in it, so that the same input gives the same bytes.
    document = json.loads(totals, parse_float=str)
    document["snapshot"] = context.ledger.run(request.run_date).get("snapshot_arn")
    document["interval_input"] = interval_input
    document["previous_run"] = run_before(context, request.run_date)
    document["files"] = csv_files | evidence
    context.client("s3").put_object(
        Bucket=context.settings.bucket,
        Key=f"{folder(request.run_date)}{CONTROL}",
        Body=json.dumps(document, indent=2, sort_keys=True).encode() + b"\n",
    )
    return {"accounts": document["accounts"], "totals": document["totals"], "failed": len(document["failed"])}


def _broken_identities(cursor: Cursor, run_date: date) -> list[str]:
    cursor.execute(
        "select identity, cases, example from bua.broken_identities(%s)"
        " union all select identity, cases, example from bua.broken_evidence(%s)",
        (run_date, run_date),
    )
    return [f"{identity} ({cases} not, such as {example})" for identity, cases, example in cursor.fetchall()]


def _csv_files(context: Context, cursor: Cursor, run_date: date) -> tuple[Files, list[str]]:
    """The CSV files as they are in the bucket, and those that lack rows."""
    files = {f"{name}.csv": measure(context, run_date, f"{name}.csv") for name in sorted(EXPORTS)}
    broken = []
    for name, (view, _) in EXPORTS.items():
        cursor.execute(
            sql.SQL("select count(*) from bua.{} where run_date = %s").format(sql.Identifier(view)), (run_date,)
        )
        ((rows,),) = cursor.fetchall()
        found = files[f"{name}.csv"].get("rows", "no file")
        if found != rows:
            broken.append(f"{name}.csv has every row ({rows} of them, but {found})")
    return files, broken


def _evidence_files(context: Context, cursor: Cursor, run_date: date) -> tuple[Files, list[str]]:
    """The evidence as it was written, and the files that are not in the bucket as they were written."""
    cursor.execute(
        "select name, part, rows, bytes, sha256 from bua.evidence_file where run_date = %s order by 1, 2", (run_date,)
    )
    files = {
        evidence_file(name, part): {"rows": rows, "bytes": size, "sha256": digest}
        for name, part, rows, size, digest in cursor.fetchall()
    }
    changed = [name for name, file in files.items() if measure(context, run_date, name).get("sha256") != file["sha256"]]
    return files, [f"{name} is in the bucket as it was written" for name in changed]


def measure(context: Context, run_date: date, name: str) -> dict[str, Any]:
    """Rows without a CSV's header, bytes and SHA-256 of a file as it is in the bucket; nothing when it is not there."""
    client = context.client("s3")
    try:
        body = client.get_object(Bucket=context.settings.bucket, Key=f"{folder(run_date)}{name}")["Body"]
    except ClientError as error:
        # Who may list some prefixes only is told AccessDenied of a key that is not there.
        if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
            return {}
        raise
    digest, size, lines, is_quoted = hashlib.sha256(), 0, 0, False
    for chunk in body.iter_chunks(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
        for position, part in enumerate(chunk.split(b'"')):
            is_quoted ^= position > 0
            lines += 0 if is_quoted else part.count(b"\n")
    return {"rows": lines - 1, "bytes": size, "sha256": digest.hexdigest()}
