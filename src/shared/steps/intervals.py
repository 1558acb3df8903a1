"""The frozen input: the interval reads as of the snapshot's moment, in a table of the run's own.

EARL exports production's table as of the moment of its snapshot. restore waits for the export and imports it, terminate
deletes the table. Where there is no export, site-data reads production's table as it is, at a bounded rate.

What the ledger's run has of it: interval_export and no_interval_export (what EARL announced), live_intervals (somebody
chose the live table), interval_import (the last import, whatever became of it), interval_table (the imported table, once
it is complete). Every action may be repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from botocore.exceptions import ClientError

from shared.aws import clients
from shared.context import Context
from shared.database.connections import Cursor
from shared.errors import InvalidInput, NotReady, ResourceFailed
from shared.metering.pace import Pace
from shared.settings import Settings
from shared.steps.requests import RunRequest
from shared.telemetry import logger
from shared.work.messages import IntervalExport

KEYS = (("pk", "HASH"), ("sk", "RANGE"))
LOG_GROUP = "/aws-dynamodb/imports"  # DynamoDB's own, of all imports of the account
BATCH = 25  # BatchWriteItem takes no more
# To stop in time: a page of a scan has 1 MB, and its items are deleted in some hundred requests.
EMPTYING_SECONDS = 60.0

_BUSY = ("ResourceInUseException", "LimitExceededException", "ImportConflictException")


@dataclass(frozen=True)
class Source:
    """Where a run reads its interval reads: a client, a table, and the pace at which the table may be read."""

    client: Any
    table: str
    pace: Pace | None


def table_name(settings: Settings, run_date: date) -> str:
    """Name of the run's own table."""
    return f"{settings.interval_table_prefix}{run_date.isoformat()}"


def source(context: Context, run_date: date) -> Source:
    """Where the run reads: its own table, or production's where it has none.

    Raises InvalidInput when there is an export, and its import is not complete: the run would silently read another input.
    """
    settings, run = context.settings, context.ledger.run(run_date)
    if own := run.get("interval_table"):
        return Source(context.client("dynamodb"), own, _pace(settings.run_interval_read_units))
    if export_of(run):
        raise InvalidInput(f"the interval reads of {run_date} are exported, but not imported: start at restore")
    client = clients.client_as("dynamodb", settings.interval_role_arn, "bua-site-data")
    return Source(client, settings.interval_table, _pace(settings.interval_read_units))


def export_of(run: Mapping[str, Any]) -> IntervalExport | None:
    """The export that a run is to work on; None where it works on the live table."""
    if run.get("live_intervals") or not run.get("interval_export"):
        return None
    return IntervalExport.model_validate(run["interval_export"])


def wait_for_export(context: Context, request: RunRequest) -> dict[str, Any]:
    """Raise NotReady until EARL's export is complete, ResourceFailed with DynamoDB's cause when it failed."""
    export = export_of(context.ledger.run(request.run_date))
    if export is None:
        return {"export": None}
    found = _describe_export(context, export)
    status = found["ExportStatus"]
    if status == "FAILED":
        cause = f"{found.get('FailureCode')}: {found.get('FailureMessage')}"
        raise ResourceFailed(f'the export {export.arn} failed: {cause}. Export again, or give "live_intervals": true')
    if status != "COMPLETED":
        raise NotReady(f"the export {export.arn} is {status}")
    return {"export": export.arn, "items": int(found["ItemCount"])}


def import_table(context: Context, request: RunRequest) -> dict[str, Any]:
    """Begin to import the export into the run's own table, unless that is done or under way.

    A table that is of another export, or not complete, is deleted first: raises NotReady until it is gone.
    """
    run = context.ledger.run(request.run_date)
    export = export_of(run)
    if export is None:
        context.ledger.set_run(request.run_date, {}, remove=("interval_table",))
        return {"table": None, "why": run.get("no_interval_export", "live_intervals")}
    name, known = table_name(context.settings, request.run_date), run.get("interval_import", {})
    if _is_usable(context, export, known, name):
        return {"table": name, "import": known["arn"]}
    context.ledger.set_run(request.run_date, {}, remove=("interval_table",))
    begun = known.get("export_arn") == export.arn and "arn" not in known
    if not begun:
        _require_gone(context, name)
        known = {"export_arn": export.arn, "attempt": int(known.get("attempt", 0)) + 1}
        context.ledger.set_run(request.run_date, {"interval_import": known})
    known = {**known, "arn": _begin_import(context, export, name, int(known["attempt"]))}
    context.ledger.set_run(request.run_date, {"interval_import": known})
    return {"table": name, "import": known["arn"]}


def wait_for_import(context: Context, request: RunRequest) -> dict[str, Any]:
    """Raise NotReady until the table is imported and complete, then record it as what the run reads.

    Raises ResourceFailed with DynamoDB's cause when the import failed, or imported other than was exported.
    """
    run = context.ledger.run(request.run_date)
    export = export_of(run)
    if export is None:
        return {"table": None}
    arn, name = run["interval_import"]["arn"], table_name(context.settings, request.run_date)
    found = context.client("dynamodb").describe_import(ImportArn=arn)["ImportTableDescription"]
    if found["ImportStatus"] == "IN_PROGRESS":
        raise NotReady(f"{found.get('ImportedItemCount', 0)} items are imported into {name}")
    if wrong := _what_is_wrong(found, int(_describe_export(context, export)["ItemCount"])):
        stream = f"{arn.rsplit('/', 1)[-1]}/error"
        raise ResourceFailed(f"the import into {name}: {wrong}. See log stream {stream} of {LOG_GROUP}")
    if (status := _table_status(context, name)) != "ACTIVE":
        raise NotReady(f"table {name} is {status}")
    context.ledger.set_run(request.run_date, {"interval_table": name})
    return {"table": name, "items": int(found["ImportedItemCount"])}


def delete_table(context: Context, request: RunRequest) -> dict[str, Any]:
    """Delete the run's own table, if there is one; raises NotReady until it is gone."""
    name = table_name(context.settings, request.run_date)
    context.ledger.set_run(request.run_date, {}, remove=("interval_table",))
    _require_gone(context, name)
    return {"table": name}


def empty_generated(context: Context, request: RunRequest) -> dict[str, Any]:
    """Delete what meterdata loaded for the run into ANSTEAD's own interval store; nobody reads it after the run.

    Raises NotReady when the function has no time for another page.
    """
    client, table = context.client("dynamodb"), context.settings.generated_interval_table
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="run_date = :run_date",
        ProjectionExpression="pk, sk",
        ExpressionAttributeValues={":run_date": {"S": request.run_date.isoformat()}},
    )
    deleted = 0
    for page in pages:
        keys = page["Items"]
        for start in range(0, len(keys), BATCH):
            _delete(client, table, keys[start : start + BATCH])
        deleted += len(keys)
        if context.remaining_seconds() < EMPTYING_SECONDS:
            raise NotReady(f"{deleted} items of {table} are deleted, and there are more")
    return {"table": table, "deleted": deleted}


def describe_input(context: Context, cursor: Cursor, run_date: date) -> dict[str, Any]:
    """What the run's interval reads were, for control.json: an export of which moment, or a live table and when."""
    cursor.execute(
        "select interval_table, to_json(min(read_from))#>>'{}', to_json(max(read_to))#>>'{}'"
        " from bua.utility_profile_log where run_date = %s group by 1 order by 1",
        (run_date,),
    )
    run = context.ledger.run(run_date)
    own, tables = table_name(context.settings, run_date), cursor.fetchall()
    if {table for table, _, _ in tables} <= {own} and (export := export_of(run)):
        return {"export": export.arn, "moment": export.moment}
    why = "live_intervals" if run.get("live_intervals") else run.get("no_interval_export")
    return {"live_tables": [{"table": t, "from": first, "to": last} for t, first, last in tables], "why": why}


def _pace(units: float) -> Pace | None:
    return Pace(units) if units else None


def _describe_export(context: Context, export: IntervalExport) -> dict[str, Any]:
    client = clients.client_as("dynamodb", context.settings.interval_export_role_arn, "bua-restore")
    try:
        found: dict[str, Any] = client.describe_export(ExportArn=export.arn)["ExportDescription"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExportNotFoundException":  # DynamoDB forgets exports after some months
            raise ResourceFailed(f'{error}. Give another export, or "live_intervals": true') from error
        raise
    return found


def _is_usable(context: Context, export: IntervalExport, known: Mapping[str, Any], name: str) -> bool:
    """Whether the last import is of this export, its table is there, and it is complete or may become so."""
    if known.get("export_arn") != export.arn or "arn" not in known or _table_status(context, name) is None:
        return False
    found = context.client("dynamodb").describe_import(ImportArn=known["arn"])["ImportTableDescription"]
    if found["ImportStatus"] == "IN_PROGRESS":
        return True
    wrong = _what_is_wrong(found, int(_describe_export(context, export)["ItemCount"]))
    if wrong:
        logger.warning("the table is imported again", table=name, cause=wrong)
    return wrong is None


def _what_is_wrong(found: Mapping[str, Any], exported: int) -> str | None:
    if found["ImportStatus"] != "COMPLETED":
        return f"{found['ImportStatus']}, {found.get('FailureCode')}: {found.get('FailureMessage')}"
    if found.get("ErrorCount", 0) or found["ImportedItemCount"] != exported:
        return f"{found['ImportedItemCount']} of {exported} items were imported, {found.get('ErrorCount', 0)} errors"
    return None


def _begin_import(context: Context, export: IntervalExport, name: str, attempt: int) -> str:
    """Start the import; asking again for the same attempt gives the same import."""
    try:
        response = context.client("dynamodb").import_table(
            ClientToken=f"{name}-{export.export_id}-{attempt}",
            S3BucketSource={
                "S3Bucket": export.bucket,
                "S3BucketOwner": export.arn.split(":")[4],
                "S3KeyPrefix": f"{export.prefix}/AWSDynamoDB/{export.export_id}/data/",
            },
            InputFormat="DYNAMODB_JSON",
            InputCompressionType="GZIP",
            TableCreationParameters=_creation(context.settings, name),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceInUseException":  # an import that nobody knows any more
            _require_gone(context, name)
        if error.response["Error"]["Code"] in _BUSY:
            raise NotReady(f"{name} cannot be imported yet: {error}") from error
        raise
    return str(response["ImportTableDescription"]["ImportArn"])


def _creation(settings: Settings, name: str) -> dict[str, Any]:
    return {
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key, _ in KEYS],
        "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in KEYS],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": settings.kms_key_arn},
    }


def _table_status(context: Context, name: str) -> str | None:
    """Status of a table; None if there is none."""
    try:
        return str(context.client("dynamodb").describe_table(TableName=name)["Table"]["TableStatus"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise


def _require_gone(context: Context, name: str) -> None:
    """Delete a table; raises NotReady until there is none. One that is being imported into cannot be deleted yet."""
    status = _table_status(context, name)
    if status is None:
        return
    if status != "DELETING":
        try:
            context.client("dynamodb").delete_table(TableName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _BUSY:
                raise
            raise NotReady(f"table {name} is {status} and cannot be deleted yet: {error}") from error
    raise NotReady(f"table {name} is being deleted")


def _delete(client: Any, table: str, keys: list[dict[str, Any]]) -> None:
    unprocessed: Any = {table: [{"DeleteRequest": {"Key": key}} for key in keys]}
    while unprocessed:
        unprocessed = client.batch_write_item(RequestItems=unprocessed)["UnprocessedItems"]
