"""The frozen input: EARL's export, the run's own table, and what happens when either of them fails.

DynamoDB's imports are a small stand-in that refuses what AWS refuses; the queries and the emptying are moto's.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shared.aws import clients
from shared.errors import InvalidInput, NotReady, ResourceFailed
from shared.steps import actions, intervals

RUN_DATE = date(2026, 11, 1)
MOMENT = "2026-10-31T13:00:12.345Z"
SNAPSHOT = "arn:aws:rds:ap-southeast-2:111111111111:snapshot:tst-earl-core-bua-2026-11-01-shared"
EXPORT = {
    "arn": "arn:aws:dynamodb:ap-southeast-2:111111111111:table/tst-earl-ddb-interval/export/0179-abc",
    "bucket": "tst-earl-s3-bua-interval-export", "prefix": "2026-11-01", "moment": MOMENT,
}  # fmt: skip
TABLE = "tst-anstead-ddb-bua-interval-2026-11-01"


def refuse(code: str) -> None:
    raise ClientError({"Error": {"Code": code, "Message": "refused"}}, "Call")


@dataclass
class DynamoDb:
    """Tables by name with their status, and imports by ARN. A table is CREATING as long as it is imported."""

    tables: dict[str, str] = field(default_factory=dict)
    imports: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)  # by client token
    export: dict[str, Any] = field(default_factory=lambda: {"ExportStatus": "IN_PROGRESS"})

    def describe_export(self, **given: str) -> dict[str, Any]:
        assert given == {"ExportArn": EXPORT["arn"]}
        return {"ExportDescription": self.export}

    def import_table(self, **given: Any) -> dict[str, Any]:
        token, name = given.pop("ClientToken"), given["TableCreationParameters"]["TableName"]
        if token in self.requests:
            assert self.requests[token] == given
            return {"ImportTableDescription": {"ImportArn": token}}
        if name in self.tables:
            refuse("ResourceInUseException")
        self.requests[token], self.tables[name] = given, "CREATING"
        self.imports[token] = {"ImportStatus": "IN_PROGRESS", "ImportedItemCount": 0}
        return {"ImportTableDescription": {"ImportArn": token}}

    def describe_import(self, **given: str) -> dict[str, Any]:
        return {"ImportTableDescription": self.imports[given["ImportArn"]]}

    def end_import(self, status: str = "COMPLETED", imported: int = 7, **more: Any) -> None:
        """End the last import."""
        self.imports[list(self.imports)[-1]].update(ImportStatus=status, ImportedItemCount=imported, **more)
        self.tables[TABLE] = "ACTIVE"

    def describe_table(self, **given: str) -> dict[str, Any]:
        if given["TableName"] not in self.tables:
            refuse("ResourceNotFoundException")
        return {"Table": {"TableStatus": self.tables[given["TableName"]]}}

    def delete_table(self, **given: str) -> None:
        if self.tables[given["TableName"]] == "CREATING":
            refuse("ResourceInUseException")
        self.tables[given["TableName"]] = "DELETING"


@pytest.fixture
def dynamodb(monkeypatch) -> DynamoDb:
    stand_in = DynamoDb()
    monkeypatch.setattr(clients, "client_as", lambda *_: stand_in)
    return stand_in


@pytest.fixture
def exported(context, dynamodb):
    """A context in whose run an export is announced, and complete: seven items."""
    context.ledger.set_run(RUN_DATE, {"snapshot_arn": SNAPSHOT, "interval_export": EXPORT})
    dynamodb.export = {"ExportStatus": "COMPLETED", "ItemCount": 7}
    return replace(context, client=lambda service: dynamodb if service == "dynamodb" else clients.client(service))


def do(context, action: str) -> dict[str, Any]:
    return actions.perform(context, {"action": f"intervals.{action}", "run_date": "2026-11-01"})


def imported(context, dynamodb) -> None:
    do(context, "import_table")
    dynamodb.end_import()
    do(context, "wait_for_import")


class TestExport:
    def test_is_waited_for(self, exported, dynamodb):
        dynamodb.export = {"ExportStatus": "IN_PROGRESS"}
        with pytest.raises(NotReady, match="is IN_PROGRESS"):
            do(exported, "wait_for_export")
        dynamodb.export = {"ExportStatus": "COMPLETED", "ItemCount": 7}
        assert do(exported, "wait_for_export") == {"export": EXPORT["arn"], "items": 7}

    def test_that_failed_says_why_and_what_to_do(self, exported, dynamodb):
        dynamodb.export = {"ExportStatus": "FAILED", "FailureCode": "S3NoSuchBucket", "FailureMessage": "gone"}
        with pytest.raises(ResourceFailed, match=r"S3NoSuchBucket: gone\..*live_intervals"):
            do(exported, "wait_for_export")

    def test_that_dynamodb_has_forgotten_says_what_to_do(self, exported, dynamodb, monkeypatch):
        monkeypatch.setattr(dynamodb, "describe_export", lambda **_: refuse("ExportNotFoundException"))
        with pytest.raises(ResourceFailed, match="live_intervals"):
            do(exported, "wait_for_export")

    def test_that_there_is_not_is_not_waited_for(self, context):
        context.ledger.set_run(RUN_DATE, {"no_interval_export": "DynamoDb.PointInTimeRecoveryUnavailableException: no"})
        assert do(context, "wait_for_export") == {"export": None}
        assert do(context, "import_table")["why"].startswith("DynamoDb.PointInTimeRecoveryUnavailable")
        assert do(context, "wait_for_import") == {"table": None}


class TestImport:
    def test_reads_what_was_exported_into_a_table_of_the_runs_own(self, exported, dynamodb):
        assert do(exported, "import_table")["table"] == TABLE
        (request,) = dynamodb.requests.values()
        assert request["S3BucketSource"] == {
            "S3Bucket": "tst-earl-s3-bua-interval-export", "S3BucketOwner": "111111111111",
            "S3KeyPrefix": "2026-11-01/AWSDynamoDB/0179-abc/data/",
        }  # fmt: skip
        assert request["TableCreationParameters"]["BillingMode"] == "PAY_PER_REQUEST"
        assert request["TableCreationParameters"]["SSESpecification"]["KMSMasterKeyId"] == exported.settings.kms_key_arn
        with pytest.raises(NotReady, match="0 items are imported"):
            do(exported, "wait_for_import")
        assert "interval_table" not in exported.ledger.run(RUN_DATE)
        dynamodb.end_import()
        assert do(exported, "wait_for_import") == {"table": TABLE, "items": 7}
        assert exported.ledger.run(RUN_DATE)["interval_table"] == TABLE

    def test_done_or_under_way_is_kept_by_a_rerun(self, exported, dynamodb):
        do(exported, "import_table")
        do(exported, "import_table")
        imported(exported, dynamodb)
        do(exported, "import_table")
        do(exported, "wait_for_import")
        assert len(dynamodb.imports) == 1
        assert exported.ledger.run(RUN_DATE)["interval_table"] == TABLE

    def test_whose_answer_was_lost_is_asked_for_again_and_is_the_same(self, exported, dynamodb):
        do(exported, "import_table")
        known = exported.ledger.run(RUN_DATE)["interval_import"]
        exported.ledger.set_run(RUN_DATE, {"interval_import": {k: v for k, v in known.items() if k != "arn"}})
        do(exported, "import_table")
        assert exported.ledger.run(RUN_DATE)["interval_import"] == known
        assert len(dynamodb.imports) == 1

    @pytest.mark.parametrize(
        ("ended", "cause"),
        [
            ({"status": "FAILED", "imported": 3, "FailureCode": "S3AccessDenied", "FailureMessage": "no"}, "FAILED, S3AccessDenied: no"),
            ({"status": "CANCELLED", "imported": 3}, "CANCELLED"),
            ({"imported": 6}, "6 of 7 items were imported, 0 errors"),
            ({"imported": 7, "ErrorCount": 1}, "7 of 7 items were imported, 1 errors"),
        ],
    )  # fmt: skip
    def test_that_is_not_complete_fails_with_its_cause_and_is_made_anew_by_a_rerun(
        self, exported, dynamodb, ended, cause
    ):
        do(exported, "import_table")
        dynamodb.end_import(**ended)
        with pytest.raises(ResourceFailed, match=cause):
            do(exported, "wait_for_import")
        assert "interval_table" not in exported.ledger.run(RUN_DATE)
        with pytest.raises(NotReady, match="is being deleted"):
            do(exported, "import_table")
        with pytest.raises(NotReady, match="is being deleted"):
            do(exported, "import_table")
        del dynamodb.tables[TABLE]
        imported(exported, dynamodb)
        assert len(dynamodb.imports) == 2  # another token: DynamoDB would answer the same one with the failed import

    def test_of_another_export_is_replaced_when_it_can_be_deleted(self, exported, dynamodb):
        do(exported, "import_table")
        other = EXPORT | {"arn": f"{EXPORT['arn']}d"}
        exported.ledger.set_run(RUN_DATE, {"interval_export": other})
        with pytest.raises(NotReady, match="is CREATING and cannot be deleted yet"):
            do(exported, "import_table")
        dynamodb.end_import()
        with pytest.raises(NotReady, match="is being deleted"):
            do(exported, "import_table")
        del dynamodb.tables[TABLE]
        do(exported, "import_table")
        assert [r["S3BucketSource"]["S3KeyPrefix"].split("/")[2] for r in dynamodb.requests.values()] == [
            "0179-abc", "0179-abcd",
        ]  # fmt: skip

    def test_into_a_table_that_nobody_knows_deletes_it_first(self, exported, dynamodb):
        dynamodb.tables[TABLE] = "ACTIVE"
        with pytest.raises(NotReady, match="is being deleted"):
            do(exported, "import_table")

    def test_that_we_may_not_do_fails_the_step_at_once(self, exported, dynamodb, monkeypatch):
        monkeypatch.setattr(dynamodb, "import_table", lambda **_: refuse("AccessDeniedException"))
        with pytest.raises(ClientError, match="AccessDenied"):
            do(exported, "import_table")

    def test_beyond_the_quota_is_asked_for_again(self, exported, dynamodb, monkeypatch):
        monkeypatch.setattr(dynamodb, "import_table", lambda **_: refuse("LimitExceededException"))
        with pytest.raises(NotReady, match="cannot be imported yet"):
            do(exported, "import_table")


class TestEnd:
    def test_the_table_is_deleted_and_after_it_a_new_one_can_be_made(self, exported, dynamodb):
        imported(exported, dynamodb)
        with pytest.raises(NotReady, match="is being deleted"):
            do(exported, "delete_table")
        assert "interval_table" not in exported.ledger.run(RUN_DATE)
        del dynamodb.tables[TABLE]
        assert do(exported, "delete_table") == {"table": TABLE}
        imported(exported, dynamodb)
        assert len(dynamodb.imports) == 2

    def test_a_table_under_way_is_deleted_when_it_can_be(self, exported):
        do(exported, "import_table")
        with pytest.raises(NotReady, match="is CREATING"):
            do(exported, "delete_table")

    @pytest.mark.usefixtures("exported")
    def test_what_was_generated_for_the_run_is_removed_and_nothing_else(self, context):
        client = clients.client("dynamodb")
        key = {"AttributeName": "pk", "AttributeType": "S"}
        client.create_table(
            TableName="tst-anstead-ddb-interval", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[key, key | {"AttributeName": "sk"}],
        )  # fmt: skip
        for number in range(60):
            month = "2026-11-01" if number < 58 else "2026-10-01"
            item = {"pk": {"S": f"NEM|DATA|NMI|{number}|EST"}, "sk": {"S": "2026-10-30|E1"}, "run_date": {"S": month}}
            client.put_item(TableName="tst-anstead-ddb-interval", Item=item)
        hurried = replace(context, remaining_seconds=lambda: 59.0)
        with pytest.raises(NotReady, match="58 items of tst-anstead-ddb-interval are deleted"):
            do(hurried, "empty_generated")
        assert do(context, "empty_generated") == {"table": "tst-anstead-ddb-interval", "deleted": 0}
        assert client.scan(TableName="tst-anstead-ddb-interval")["Count"] == 2


class TestSource:
    def test_is_the_runs_own_table_as_fast_as_a_table_can_be_read(self, exported, dynamodb):
        imported(exported, dynamodb)
        settings = exported.settings.model_copy(update={"run_interval_read_units": 1904, "interval_read_units": 952})
        for context, units in ((exported, None), (replace(exported, settings=settings), 1904)):
            found = intervals.source(context, RUN_DATE)
            assert (found.client, found.table) == (dynamodb, TABLE)
            assert found.pace is None if units is None else found.pace._rate == units

    def test_is_productions_table_at_its_rate_where_there_is_no_export(self, context, dynamodb):
        context.ledger.set_run(RUN_DATE, {"no_interval_export": "no recovery"})
        settings = context.settings.model_copy(update={"run_interval_read_units": 1904, "interval_read_units": 952})
        found = intervals.source(replace(context, settings=settings), RUN_DATE)
        assert (found.client, found.table, found.pace._rate) == (dynamodb, "tst-earl-ddb-interval", 952)

    def test_is_productions_table_where_somebody_chose_it(self, exported):
        exported.ledger.set_run(RUN_DATE, {"live_intervals": True})
        assert intervals.source(exported, RUN_DATE).table == "tst-earl-ddb-interval"

    def test_is_not_silently_another_than_was_exported(self, exported):
        do(exported, "import_table")
        with pytest.raises(InvalidInput, match="exported, but not imported"):
            intervals.source(exported, RUN_DATE)


class TestControl:
    def test_says_which_moment_the_run_worked_on_or_when_it_read_the_live_table(self, exported, dynamodb, run_database):
        insert = (
            "insert into bua.utility_profile_log select '2026-11-01', 'S' || n, 1, 1, null, %s,"
            " '2026-11-01T02:00:00Z'::timestamptz + n * interval '1 s', '2026-11-01T02:00:05Z'::timestamptz + n * interval '1 s'"
            " from generate_series(1, 3) n"
        )
        imported(exported, dynamodb)
        with run_database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("set timezone to 'UTC'")
            cursor.execute(insert, (TABLE,))
            assert intervals.describe_input(exported, cursor, RUN_DATE) == {"export": EXPORT["arn"], "moment": MOMENT}
            cursor.execute("truncate bua.utility_profile_log")
            cursor.execute(insert, ("tst-earl-ddb-interval",))
            exported.ledger.set_run(RUN_DATE, {"live_intervals": True})
            assert intervals.describe_input(exported, cursor, RUN_DATE) == {
                "live_tables": [
                    {"table": "tst-earl-ddb-interval", "from": "2026-11-01T02:00:01+00:00", "to": "2026-11-01T02:00:08+00:00"}
                ],
                "why": "live_intervals",
            }  # fmt: skip
