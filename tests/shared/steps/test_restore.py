"""bua-restore and bua-terminate against small stand-ins for RDS and CloudFormation that refuse what AWS refuses."""

import io
import json
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.cloud import REGION

from shared.aws import clients
from shared.errors import InvalidInput, NotReady, RdsNotReady, ResourceFailed
from shared.paths import ROOT
from shared.steps import actions, restore

RUN_DATE = date(2026, 11, 1)
SHARED = "arn:aws:rds:ap-southeast-2:111111111111:snapshot:tst-earl-core-bua-2026-11-01-shared"
COPY = "tst-anstead-bua-2026-11-01"
STACK = "tst-anstead-14-bua-sql"
TEMPLATE = ROOT / "modules" / "database-restore" / "bua-sql.template.json"


@dataclass
class Rds:
    """Copies of snapshots, by name: source and status."""

    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    modified: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exceptions = boto3.client("rds", region_name=REGION).exceptions

    def _refuse(self) -> None:
        if self.refusals:
            raise ClientError({"Error": {"Code": self.refusals.pop(0), "Message": "refused"}}, "Call")

    def copy_db_snapshot(self, **given: str) -> None:
        self._refuse()
        name = given["TargetDBSnapshotIdentifier"]
        if name in self.snapshots:
            raise self.exceptions.DBSnapshotAlreadyExistsFault({"Error": {"Code": "DBSnapshotAlreadyExists"}}, "Copy")
        self.snapshots[name] = {
            "Status": "creating",
            "AllocatedStorage": 1500,
            "Source": given["SourceDBSnapshotIdentifier"],
            "Key": given["KmsKeyId"],
        }

    def describe_db_snapshots(self, **given: str) -> dict[str, Any]:
        return {"DBSnapshots": [self.snapshots[given["DBSnapshotIdentifier"]]]}

    def delete_db_snapshot(self, **given: str) -> None:
        if self.snapshots.get(given["DBSnapshotIdentifier"], {}).get("Status") == "creating":
            raise self.exceptions.InvalidDBSnapshotStateFault({"Error": {"Code": "InvalidDBSnapshotState"}}, "Delete")
        if self.snapshots.pop(given["DBSnapshotIdentifier"], None) is None:
            raise self.exceptions.DBSnapshotNotFoundFault({"Error": {"Code": "DBSnapshotNotFound"}}, "Delete")

    def modify_db_instance(self, **given: Any) -> None:
        self._refuse()
        self.modified.append(given)


@dataclass
class CloudFormation:
    """Stacks by name; statuses are set by the test."""

    stacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exceptions = boto3.client("cloudformation", region_name=REGION).exceptions

    def create_stack(self, **given: Any) -> None:
        if given["StackName"] in self.stacks:
            raise self.exceptions.AlreadyExistsException({"Error": {"Code": "AlreadyExistsException"}}, "CreateStack")
        template = json.loads(given["TemplateBody"])
        parameters = {p["ParameterKey"]: p["ParameterValue"] for p in given["Parameters"]}
        assert parameters.keys() == template["Parameters"].keys()
        self.stacks[given["StackName"]] = {
            "StackId": "id",
            "StackStatus": "CREATE_IN_PROGRESS",
            "Parameters": parameters,
        }

    def describe_stacks(self, **given: str) -> dict[str, Any]:
        stack = self.stacks.get(given["StackName"])
        if stack is None:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        return {"Stacks": [stack]}

    def describe_stack_events(self, **given: str) -> dict[str, Any]:
        assert given["StackName"] == "id"
        return {"StackEvents": self.events}

    def delete_stack(self, **given: str) -> None:
        self.stacks[given["StackName"]]["StackStatus"] = "DELETE_IN_PROGRESS"


@pytest.fixture
def rds() -> Rds:
    return Rds()


@pytest.fixture
def cloudformation() -> CloudFormation:
    return CloudFormation()


@pytest.fixture
def restoring(context, states, rds, cloudformation):
    """A context in whose run restore is under way."""
    stand_ins = {"rds": rds, "cloudformation": cloudformation, "stepfunctions": states}
    context.client("s3").upload_fileobj(
        io.BytesIO(TEMPLATE.read_bytes()), context.settings.bucket, restore.TEMPLATE_KEY
    )
    context.ledger.set_current({"run_date": RUN_DATE})
    context.ledger.set_run(RUN_DATE, {"snapshot_arn": SHARED})
    return replace(context, client=lambda service: stand_ins.get(service) or clients.client(service))


def do(context, action: str):
    return actions.perform(context, {"action": action, "run_date": "2026-11-01"})


class TestSnapshot:
    def test_is_copied_under_our_own_key_and_waited_for(self, restoring, rds):
        assert do(restoring, "restore.copy_snapshot") == {"snapshot": COPY, "update_id": 14}
        assert rds.snapshots[COPY]["Source"] == SHARED
        assert rds.snapshots[COPY]["Key"] == restoring.settings.kms_key_arn
        with pytest.raises(NotReady, match="is creating"):
            do(restoring, "restore.wait_for_snapshot")
        rds.snapshots[COPY]["Status"] = "available"
        assert do(restoring, "restore.wait_for_snapshot") == {"snapshot": COPY}

    def test_that_failed_fails_the_step(self, restoring, rds):
        do(restoring, "restore.copy_snapshot")
        rds.snapshots[COPY]["Status"] = "failed"
        with pytest.raises(ResourceFailed):
            do(restoring, "restore.wait_for_snapshot")

    def test_that_failed_is_made_anew_by_a_rerun(self, restoring, rds):
        do(restoring, "restore.copy_snapshot")
        rds.snapshots[COPY]["Status"] = "failed"
        with pytest.raises(NotReady, match="must be deleted first"):
            do(restoring, "restore.copy_snapshot")
        assert do(restoring, "restore.copy_snapshot") == {"snapshot": COPY, "update_id": 14}
        assert rds.snapshots[COPY]["Status"] == "creating"

    def test_that_is_being_deleted_is_waited_for(self, restoring, rds):
        do(restoring, "restore.copy_snapshot")
        rds.snapshots[COPY]["Status"] = "deleting"
        with pytest.raises(NotReady, match="is deleting"):
            do(restoring, "restore.copy_snapshot")

    def test_is_kept_by_a_rerun_but_not_if_it_is_of_another_one(self, restoring, rds):
        do(restoring, "restore.copy_snapshot")
        rds.snapshots[COPY]["Status"] = "available"
        do(restoring, "restore.copy_snapshot")
        assert rds.snapshots[COPY]["Status"] == "available"
        restoring.ledger.set_run(RUN_DATE, {"snapshot_arn": SHARED + "-again"})
        do(restoring, "restore.copy_snapshot")
        assert rds.snapshots[COPY]["Source"] == SHARED + "-again"

    @pytest.mark.parametrize("code", ["DBSnapshotNotFound", "SnapshotQuotaExceeded", "InvalidDBSnapshotState"])
    def test_that_rds_does_not_copy_yet_is_asked_for_again(self, restoring, rds, code):
        rds.refusals = [code]
        with pytest.raises(RdsNotReady, match=code):
            do(restoring, "restore.copy_snapshot")
        assert do(restoring, "restore.copy_snapshot") == {"snapshot": COPY, "update_id": 14}

    def test_that_we_may_not_copy_fails_the_step_at_once(self, restoring, rds):
        rds.refusals = ["KMSKeyNotAccessibleFault"]
        with pytest.raises(ClientError, match="KMSKeyNotAccessibleFault"):
            do(restoring, "restore.copy_snapshot")

    def test_without_one_the_input_is_asked_for(self, restoring):
        restoring.ledger.set_run(RUN_DATE, {"state": "RUNNING"}, remove=("snapshot_arn",))
        with pytest.raises(InvalidInput, match='give "snapshot_arn"'):
            do(restoring, "restore.copy_snapshot")


class TestStack:
    def test_becomes_the_runs_database(self, restoring, cloudformation):
        do(restoring, "restore.copy_snapshot")
        assert do(restoring, "restore.create_stack") == {"stack": STACK}
        assert cloudformation.stacks[STACK]["Parameters"]["Iops"] == "0"
        assert cloudformation.stacks[STACK]["Parameters"]["SnapshotIdentifier"] == COPY
        with pytest.raises(NotReady, match="CREATE_IN_PROGRESS"):
            do(restoring, "restore.wait_for_stack")
        cloudformation.stacks[STACK] |= {
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": [
                {"OutputKey": "Endpoint", "OutputValue": "db.example"},
                {"OutputKey": "Port", "OutputValue": "5432"},
            ],
        }
        do(restoring, "restore.wait_for_stack")
        assert restoring.ledger.current().database_address() == ("db.example", 5432)

    @pytest.mark.parametrize(("asked", "size"), [(0, 1500), (800, 1500), (2000, 2000)])
    def test_has_the_disk_that_was_asked_for_and_no_less_than_the_snapshots(
        self, restoring, cloudformation, asked, size
    ):
        settings = {"restore_allocated_storage_gb": asked, "restore_iops": 20000, "restore_throughput": 1000}
        restoring = replace(restoring, settings=restoring.settings.model_copy(update=settings))
        do(restoring, "restore.copy_snapshot")
        do(restoring, "restore.create_stack")
        found = cloudformation.stacks[STACK]["Parameters"]
        assert (found["AllocatedStorage"], found["Iops"], found["StorageThroughput"]) == (str(size), "20000", "1000")
        assert int(found["LowBytes"]) == size * 1024**3 // 10

    @pytest.mark.parametrize("status", ["ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED"])
    def test_that_failed_says_what_failed_first(self, restoring, cloudformation, status):
        do(restoring, "restore.copy_snapshot")
        do(restoring, "restore.create_stack")
        cloudformation.stacks[STACK]["StackStatus"] = status
        cloudformation.events = [
            {"LogicalResourceId": "Instance", "ResourceStatus": "DELETE_COMPLETE"},
            {"LogicalResourceId": STACK, "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "failed to create"},
            {
                "LogicalResourceId": "Instance",
                "ResourceStatus": "CREATE_FAILED",
                "ResourceStatusReason": "no such subnet",
            },
        ]
        with pytest.raises(ResourceFailed, match="Instance: no such subnet"):
            do(restoring, "restore.wait_for_stack")

    def test_a_rerun_deletes_the_old_one_first(self, restoring, cloudformation):
        assert do(restoring, "restore.discard_stack") == {"stack": None}
        do(restoring, "restore.copy_snapshot")
        do(restoring, "restore.create_stack")
        cloudformation.stacks[STACK]["StackStatus"] = "CREATE_COMPLETE"
        restoring.ledger.set_current({"db_host": "db.example", "db_port": 5432})
        for _ in range(2):
            with pytest.raises(NotReady, match="is being deleted"):
                do(restoring, "restore.discard_stack")
        assert restoring.ledger.current().db_host is None
        del cloudformation.stacks[STACK]
        assert do(restoring, "restore.discard_stack") == {"stack": STACK}
        assert do(restoring, "restore.create_stack") == {"stack": STACK}  # the same name again

    def test_one_that_could_not_be_deleted_is_tried_again_by_the_next_start(self, restoring, cloudformation):
        do(restoring, "restore.copy_snapshot")
        do(restoring, "restore.create_stack")
        cloudformation.stacks[STACK]["StackStatus"] = "DELETE_FAILED"
        cloudformation.events = [
            {"LogicalResourceId": "Instance", "ResourceStatus": "DELETE_FAILED", "ResourceStatusReason": "in use"}
        ]
        with pytest.raises(ResourceFailed, match="Instance: in use"):
            do(restoring, "restore.discard_stack")
        with pytest.raises(NotReady, match="is being deleted"):
            do(restoring, "restore.discard_stack")

    def test_creating_it_twice_is_creating_it_once(self, restoring, cloudformation):
        do(restoring, "restore.copy_snapshot")
        do(restoring, "restore.create_stack")
        do(restoring, "restore.create_stack")
        assert list(cloudformation.stacks) == [STACK]


class TestAdminPassword:
    def test_is_random_stored_and_set(self, restoring, rds):
        do(restoring, "restore.reset_admin_password")
        do(restoring, "restore.reset_admin_password")
        first, second = (modified["MasterUserPassword"] for modified in rds.modified)
        assert first != second
        assert len(second) >= 32
        secret = restoring.client("secretsmanager").get_secret_value(SecretId="tst-anstead-bua-db-core_admin")
        assert json.loads(secret["SecretString"]) == {"username": "core_admin", "password": second}
        assert rds.modified[0]["DBInstanceIdentifier"] == STACK

    def test_is_set_when_the_instance_is_at_rest(self, restoring, rds):
        rds.refusals = ["InvalidDBInstanceState"]
        with pytest.raises(RdsNotReady, match="InvalidDBInstanceState"):
            do(restoring, "restore.reset_admin_password")
        do(restoring, "restore.reset_admin_password")
        assert len(rds.modified) == 1

    def test_is_waited_for_by_connecting(self, restoring, database):
        database.is_down = True
        with pytest.raises(NotReady):
            do(restoring, "restore.wait_for_admin_password")


class TestTerminate:
    def test_leaves_nothing_and_says_so(self, restoring, rds):
        do(restoring, "restore.copy_snapshot")
        restoring.ledger.set_current({"db_host": "db.example", "db_port": 5432})
        with pytest.raises(NotReady, match="cannot be deleted yet"):
            do(restoring, "terminate.delete_copy")
        rds.snapshots[COPY]["Status"] = "available"
        do(restoring, "terminate.delete_copy")
        do(restoring, "terminate.delete_copy")
        assert rds.snapshots == {}
        current = restoring.ledger.current()
        assert (current.state, current.db_host) == ("TERMINATED", None)

    def test_of_an_earlier_run_leaves_the_current_one_alone(self, restoring):
        restoring.ledger.set_current({"db_host": "db.example", "db_port": 5432, "state": "RUNNING"})
        actions.perform(restoring, {"action": "terminate.delete_copy", "run_date": "2026-10-01"})
        assert restoring.ledger.current().db_host == "db.example"


def test_dns_points_to_the_instance(restoring):
    route53 = restoring.client("route53")
    zone = route53.create_hosted_zone(Name="anstead.internal", CallerReference="1")["HostedZone"]["Id"]
    named = replace(restoring, settings=restoring.settings.model_copy(update={"hosted_zone_id": zone}))
    for host in ("old.example", "db.example"):
        named.ledger.set_current({"db_host": host, "db_port": 5432})
        do(named, "restore.point_dns")
    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    (record,) = [r for r in records if r["Type"] == "CNAME"]
    assert (record["Name"], record["ResourceRecords"]) == ("sql.bua.tst.anstead.internal.", [{"Value": "db.example"}])


def test_the_runs_database_is_made_for_the_period_in_the_ledger(context, database, platform_database):
    database.dsn_of = platform_database.dsn_of
    context.ledger.set_run(RUN_DATE, {"from_date": "2026-07-01", "to_date": "2026-09-30", "as_at": "2026-10-05"})
    actions.perform(context, {"action": "restore.migrate", "run_date": "2026-11-01"})
    with platform_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select period_start::text, accrual_date::text, as_at::text from bua.run")
        assert cursor.fetchall() == [("2026-07-01", "2026-09-30", "2026-10-05")]


def test_statistics_are_calculated_table_by_table_as_far_as_the_time_goes(context, database, bua_database):
    """AggregatedRead has 22 partitions. Time for four: the whole, 2010, 2011 and 2012."""
    database.dsn_of = bua_database.dsn_of
    calls = iter(range(1000))
    hasty = replace(context, remaining_seconds=lambda: 900.0 - 75.0 * next(calls))  # two looks at the clock for each
    analysed = "select count(*) from pg_stat_all_tables where schemaname = 'core' and last_analyze is not null"
    with bua_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into core.aggregated_read select 1, '2026-01-01', '2026-01-01', 'ANYTIME', 'ACTUAL', n from generate_series(1, 500) n"
        )
        connection.commit()
    with pytest.raises(NotReady, match=r"the statistics of 19 tables .* next core.aggregated_read_2013"):
        do(hasty, "restore.calculate_statistics")
    with pytest.raises(NotReady, match="the statistics of 19 tables"):
        do(replace(context, remaining_seconds=lambda: 299.0), "restore.calculate_statistics")
    assert do(context, "restore.calculate_statistics") == {}
    assert do(context, "restore.calculate_statistics") == {}
    with bua_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(analysed)
        assert cursor.fetchone()[0] >= 22
        cursor.execute(
            "select inherited, array_length(histogram_bounds, 1) from pg_stats where attname = 'quantity'"
            " and tablename in ('aggregated_read', 'aggregated_read_2026') order by tablename"
        )
        # The whole is sampled with a tenth of the target, its partitions with all of it.
        assert cursor.fetchall() == [(True, 11), (False, 101)]
