"""What ministack 1.5.33 lacks of a table's way through S3: exports as of a moment, and imports that ask who owns the bucket.

ministack's export writes nothing and knows no moment. Here, as on AWS, only a table with point-in-time recovery can be
exported, as of a moment since recovery was switched on, and the files hold what the table held then. Its import finds only
buckets of the importer's own account. Here it reads one of another account if its owner is named and its policy lets the
importer's account in. A table is CREATING and cannot be deleted while it is being imported.
"""

# ruff: noqa: SLF001 - ministack's internals are what is patched here

import gzip
import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ministack.core import responses  # type: ignore[import-untyped]
from ministack.core.concurrency import spawn_background  # type: ignore[import-untyped]
from ministack.core.responses import error_response_json, get_account_id, json_response  # type: ignore[import-untyped]
from ministack.services import dynamodb, s3  # type: ignore[import-untyped]

from local.aws.patching import replaces

Record = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]
Key = tuple[str, str]

# AWS restores up to five minutes before now; a later moment is refused until it is that old. Here it is refused once.
_LAG_SECONDS = 300
_FILES = 4  # data files of an export: one for each partition on AWS


@dataclass
class Journal:
    """What a table's items were before each change, since recovery was switched on."""

    since: float
    changes: list[tuple[float, Key, Record | None]] = field(default_factory=list)
    asked: set[float] = field(default_factory=set)

    def items_at(self, table: Record, moment: float) -> list[Record]:
        """The items of a table as they were at a moment (seconds since the epoch), by their keys."""
        with _LOCK:
            items = {(pk, sk): item for pk, by_sort_key in table["items"].items() for sk, item in by_sort_key.items()}
            changes = list(self.changes)
        for at, key, before in reversed(changes):
            if at <= moment:
                break
            if before is None:
                items.pop(key, None)
            else:
                items[key] = before
        return [items[key] for key in sorted(items)]


# By TableId: a table that is deleted and created again has no past.
_JOURNALS: dict[str, Journal] = {}
_LOCK = threading.Lock()  # an item and its past change together
_BEGINNING = threading.Lock()  # no import runs before its request is noted and its table is CREATING
_log = logging.getLogger("local.aws.exports")


def _keep_journals() -> None:
    set_item, remove_item, update = dynamodb._set_item, dynamodb._remove_item, dynamodb._update_continuous_backups

    def note(table: Record, key: Key, before: Record | None) -> None:
        if journal := _JOURNALS.get(table.get("TableId", "")):
            journal.changes.append((time.time(), key, before))

    @replaces(dynamodb, "_set_item")
    def _set(table: Record, partition: str, sort: str, item: Record) -> Record | None:
        with _LOCK:
            before: Record | None = set_item(table, partition, sort, item)
            note(table, (partition, sort), before)
        return before

    @replaces(dynamodb, "_remove_item")
    def _remove(table: Record, partition: str, sort: str) -> Record | None:
        with _LOCK:
            before: Record | None = remove_item(table, partition, sort)
            if before is not None:
                note(table, (partition, sort), before)
        return before

    @replaces(dynamodb, "_update_continuous_backups")
    def _update(data: Record) -> Response:
        response: Response = update(data)
        if response[0] == 200:
            name = dynamodb._normalize_table_name(data["TableName"])
            table = dynamodb._tables[name]
            if dynamodb._pitr_settings[name]:
                _JOURNALS.setdefault(table["TableId"], Journal(time.time()))
            else:
                _JOURNALS.pop(table["TableId"], None)
        return response


def _seconds(moment: float | str) -> float:
    """A moment as an API gives it: seconds since the epoch, or ISO 8601 from Step Functions."""
    return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else float(moment)


def _refusal(data: Record) -> tuple[str, str] | None:
    """Code and message with which DynamoDB refuses an export."""
    name = dynamodb._table_name_from_arn(data["TableArn"])
    if name not in dynamodb._tables:
        return "TableNotFoundException", f"Table not found: {data['TableArn']}"
    journal = _JOURNALS.get(dynamodb._tables[name]["TableId"])
    if journal is None:
        return (
            "PointInTimeRecoveryUnavailableException",
            f"Point in time recovery is not enabled for table '{name}'",
        )
    moment, now = _seconds(data["ExportTime"]), time.time()
    is_early = now - moment < _LAG_SECONDS and moment not in journal.asked
    journal.asked.add(moment)
    if not journal.since <= moment <= now or is_early:
        return "InvalidExportTimeException", "Cannot export from this time: it is outside of the recovery window"
    if s3._bucket_owner_account(data["S3Bucket"]) is None:
        return "ValidationException", f"The bucket {data['S3Bucket']} does not exist"
    return None


def _export_as_of_a_moment() -> None:
    exports = dynamodb._exports

    def export(data: Record) -> Response:
        for known in exports.values():
            if data.get("ClientToken") and known["_request"]["ClientToken"] == data["ClientToken"]:
                if known["_request"] != data:
                    return _error("ExportConflictException", "The client token was used with other parameters")
                return json_response({"ExportDescription": _public(known)})  # type: ignore[no-any-return]
        if refusal := _refusal(data):
            return _error(*refusal)
        arn = dynamodb._export_arn(data["TableArn"])
        exports[arn] = {
            "ExportArn": arn, "ExportStatus": "IN_PROGRESS", "StartTime": time.time(), "TableArn": data["TableArn"],
            "ExportTime": _seconds(data["ExportTime"]), "ExportFormat": "DYNAMODB_JSON", "ExportType": "FULL_EXPORT",
            "_request": dict(data),
        } | {key: data[key] for key in ("S3Bucket", "S3Prefix", "S3BucketOwner", "S3SseAlgorithm", "S3SseKmsKeyId") if key in data}  # fmt: skip
        # The answer is written first: a small export may be complete before its caller hears of it.
        begun: Response = json_response({"ExportDescription": _public(exports[arn])})
        spawn_background(_run_export, exports[arn], thread_name="ddb-export")
        return begun

    def describe(data: Record) -> Response:
        found = exports.get(data["ExportArn"])
        if not found:
            return _error("ExportNotFoundException", f"Export not found: {data['ExportArn']}")
        return json_response({"ExportDescription": _public(found)})  # type: ignore[no-any-return]

    replaces(dynamodb, "_export_table_to_point_in_time")(export)
    replaces(dynamodb, "_describe_export")(describe)


def _public(description: Record) -> Record:
    return {key: value for key, value in description.items() if not key.startswith("_")}


def _error(code: str, message: str) -> Response:
    response: Response = error_response_json(code, message, 400)
    return response


def _run_export(description: Record) -> None:
    try:
        _write_export(description)
    except Exception as error:  # noqa: BLE001 - whatever it was, it is a failed export
        _log.exception("export %s failed", description["ExportArn"])
        description.update(ExportStatus="FAILED", FailureCode="InternalServerError", FailureMessage=str(error))


def _write_export(description: Record) -> None:
    """Write the data files and, last, the summary, under the folder that AWS gives them."""
    table = dynamodb._tables[dynamodb._table_name_from_arn(description["TableArn"])]
    items = _JOURNALS[table["TableId"]].items_at(table, description["ExportTime"])
    folder = f"{description.get('S3Prefix', '')}/AWSDynamoDB/{description['ExportArn'].split('/')[-1]}".lstrip("/")
    by_file: dict[int, list[Record]] = defaultdict(list)
    for position, item in enumerate(items):
        by_file[position % _FILES].append(item)
    for number in range(_FILES):
        lines = "".join(json.dumps({"Item": item}, separators=(",", ":")) + "\n" for item in by_file[number])
        _put(description["S3Bucket"], f"{folder}/data/{number:08d}.json.gz", gzip.compress(lines.encode(), 1))
    summary = {"exportArn": description["ExportArn"], "itemCount": len(items), "outputFormat": "DYNAMODB_JSON"}
    _put(description["S3Bucket"], f"{folder}/manifest-summary.json", json.dumps(summary).encode())
    description.update(
        ExportStatus="COMPLETED",
        EndTime=time.time(),
        ItemCount=len(items),
        ExportManifest=f"{folder}/manifest-summary.json",
    )


def _put(bucket: str, key: str, body: bytes) -> None:
    status, _, answer = s3._put_object(bucket, key, body, {})
    if status != 200:
        raise RuntimeError(f"{bucket}/{key}: {answer!r}")


def _import_once() -> None:
    """The same client token is the same import, as long as everything else is the same."""
    import_table = dynamodb._import_table

    @replaces(dynamodb, "_import_table")
    def _begin(data: Record) -> Response:
        with _BEGINNING:
            for known in dynamodb._imports.values():
                if data.get("ClientToken") and known.get("ClientToken") == data["ClientToken"]:
                    if known["_request"] != data:
                        return _error("ImportConflictException", "The client token was used with other parameters")
                    return json_response({"ImportTableDescription": dynamodb._import_description(known)})  # type: ignore[no-any-return]
            response: Response = import_table(data)
            if response[0] == 200:
                arn = json.loads(response[2])["ImportTableDescription"]["ImportArn"]
                dynamodb._imports[arn]["_request"] = dict(data)
                _set_status(data["TableCreationParameters"]["TableName"], "CREATING")
        return response


def _creating_while_importing() -> None:
    run_import, finish, drop = dynamodb._run_import, dynamodb._finish_import, dynamodb._drop_import_table
    delete_table = dynamodb._delete_table

    @replaces(dynamodb, "_run_import")
    def _run(import_arn: str, name: str) -> None:
        with _BEGINNING:  # until whoever began it has noted its request
            pass
        run_import(import_arn, name)

    @replaces(dynamodb, "_finish_import")
    def _finish(description: Record, *arguments: Any) -> None:
        _set_status(description["TableCreationParameters"]["TableName"], "ACTIVE")
        finish(description, *arguments)

    @replaces(dynamodb, "_drop_import_table")
    def _drop(name: str) -> None:
        _set_status(name, "ACTIVE")
        drop(name)

    @replaces(dynamodb, "_delete_table")
    def _delete(data: Record) -> Response:
        table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")), {})
        if table.get("TableStatus") == "CREATING":
            return _error("ResourceInUseException", "Table is being created")
        return delete_table(data)  # type: ignore[no-any-return]


def _set_status(name: str, status: str) -> None:
    if table := dynamodb._tables.get(name):
        table["TableStatus"] = status


def _import_from_another_account() -> None:
    source_objects = dynamodb._import_source_objects

    @replaces(dynamodb, "_import_source_objects")
    def _objects(source: Mapping[str, str], compression: str) -> Any:
        owner = s3._bucket_owner_account(source["S3Bucket"])
        if owner in (None, get_account_id()):
            return source_objects(source, compression)
        if source.get("S3BucketOwner") != owner or not _lets_in(owner, source["S3Bucket"], get_account_id()):
            raise dynamodb._ImportFailed("S3AccessDenied", "Access Denied", table_created=False)
        token = responses._request_account_id.set(owner)
        try:
            return source_objects(source, compression)
        finally:
            responses._request_account_id.reset(token)


def _lets_in(owner: str, bucket: str, importer: str) -> bool:
    """Whether a bucket's policy lets an account list it and read it; which of its roles, only an enforced IAM asks."""
    policy = json.loads(s3._bucket_policies.get_scoped(owner, None, bucket, "{}"))
    allowed: set[str] = set()
    for statement in policy.get("Statement", []):
        principals = statement["Principal"].get("AWS", []) if isinstance(statement["Principal"], dict) else []
        if statement["Effect"] == "Allow" and f"arn:aws:iam::{importer}:root" in [principals, *principals]:
            allowed |= {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])
    return allowed >= {"s3:GetObject", "s3:ListBucket"}


def install() -> None:
    """Make exports and imports as strict as AWS."""
    _keep_journals()
    _export_as_of_a_moment()
    _import_once()
    _creating_while_importing()
    _import_from_another_account()
