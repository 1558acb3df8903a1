"""EARL's machine as it is deployed, but for its topic: what it leaves of production's snapshots."""

import json
import time
from datetime import UTC, datetime

import pytest

from artifacts import machines
from local.aws import names
from shared import catalogue

RUN_DATE = "2026-01-01"  # across a new year
EXPIRED = ["bua-2024-12-01", "bua-2025-10-01", "bua-2025-10-01-shared"]
KEPT = ["bua-2025-11-01-shared", "bua-2025-12-01", "bua-2025-12-01-shared"]
OTHERS = ["2024-12-01", "bua-2025-10-01-by-hand", "before-the-upgrade"]


def snapshot(suffix):
    return f"{names.PRODUCTION}-{suffix}"


@pytest.fixture(scope="module")
def machine(earl):
    """The ARN of the machine, which announces on a topic that nobody has subscribed to."""
    entries = catalogue.load()
    values = {
        "production_instance": names.PRODUCTION, "accrual_account_id": names.ANSTEAD, "snapshots_kept": "3",
        "shared_key_arn": earl.client("kms").create_key()["KeyMetadata"]["Arn"],
        "snapshot_topic_arn": earl.client("sns").create_topic(Name="test-unheard")["TopicArn"],
        "interval_table_arn": names.arn("dynamodb", names.EARL, f"table/{names.EARL_INTERVAL_TABLE}"),
        "interval_export_bucket": names.INTERVAL_EXPORT_BUCKET,
    }  # fmt: skip
    entry = next(machine for machine in entries.state_machines if machine.step == "snapshot")
    definition = machines.render_machine(entries, entry, values)
    created = earl.client("stepfunctions").create_state_machine(
        name="test-retention", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{names.EARL}:role/any"
    )
    return created["stateMachineArn"]


@pytest.fixture(scope="module")
def ended(earl, machine):
    """The machine's execution over snapshots of earlier months and others that are not its own."""
    rds = earl.client("rds")
    for suffix in [*EXPIRED, *KEPT, *OTHERS]:
        rds.create_db_snapshot(DBSnapshotIdentifier=snapshot(suffix), DBInstanceIdentifier=names.PRODUCTION)
    while any(found["Status"] == "creating" for found in rds.describe_db_snapshots()["DBSnapshots"]):
        time.sleep(0.05)
    return run(earl, machine, RUN_DATE)


def start(earl, machine, value):
    started = earl.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(value))
    return earl.ended(started["executionArn"])


def run(earl, machine, run_date):
    execution = start(earl, machine, {"run_date": run_date})
    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    return json.loads(execution["output"])


def own_snapshots(earl):
    listed = earl.client("rds").describe_db_snapshots(DBInstanceIdentifier=names.PRODUCTION)["DBSnapshots"]
    return {found["DBSnapshotIdentifier"] for found in listed if not found["DBSnapshotIdentifier"].startswith("test-")}


def test_of_its_own_snapshots_three_months_stay_and_of_others_all(earl, ended):
    assert sorted(ended["forgotten"]) == sorted(map(snapshot, EXPIRED))
    assert own_snapshots(earl) >= {
        snapshot(suffix) for suffix in [*KEPT, *OTHERS, f"bua-{RUN_DATE}", f"bua-{RUN_DATE}-shared"]
    }
    assert own_snapshots(earl).isdisjoint(map(snapshot, EXPIRED))


def test_the_interval_reads_are_exported_as_of_the_snapshot(earl, ended):
    (found,) = earl.client("rds").describe_db_snapshots(DBSnapshotIdentifier=snapshot(f"bua-{RUN_DATE}"))["DBSnapshots"]
    export = ended["interval_export"]
    described = earl.client("dynamodb").describe_export(ExportArn=export["arn"])["ExportDescription"]
    assert described["ExportTime"] == found["SnapshotCreateTime"] == datetime.fromisoformat(export["moment"])
    assert (described["S3Bucket"], described["S3Prefix"]) == (export["bucket"], export["prefix"])
    assert (export["prefix"], ended["no_interval_export"]) == (RUN_DATE, None)


def test_a_table_that_cannot_be_exported_is_announced_as_such(earl, machine, ended):
    """The snapshot is older than what can be exported."""
    dynamodb = earl.client("dynamodb")

    def switch(enabled):
        dynamodb.update_continuous_backups(
            TableName=names.EARL_INTERVAL_TABLE,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled},
        )

    switch(False)
    without = run(earl, machine, "2026-01-02")
    assert without["interval_export"] is None
    assert without["no_interval_export"].startswith("DynamoDb.PointInTimeRecoveryUnavailableException: ")
    switch(True)
    again = run(earl, machine, "2026-01-02")  # its snapshot was taken before
    assert again["no_interval_export"].startswith("DynamoDb.InvalidExportTimeException: ")


def test_a_second_execution_finds_nothing_to_forget(earl, machine, ended):
    before = own_snapshots(earl)
    assert run(earl, machine, RUN_DATE) == ended | {"forgotten": []}
    assert own_snapshots(earl) == before


def test_a_run_date_centuries_ahead_makes_nothing_old_that_is_not(earl, machine, ended):
    """Of this year the snapshots of three months stay, whatever somebody mistyped."""
    this_month = snapshot(f"bua-{datetime.now(UTC):%Y-%m}-01")
    rds = earl.client("rds")
    rds.create_db_snapshot(DBSnapshotIdentifier=this_month, DBInstanceIdentifier=names.PRODUCTION)
    while rds.describe_db_snapshots(DBSnapshotIdentifier=this_month)["DBSnapshots"][0]["Status"] == "creating":
        time.sleep(0.05)
    run(earl, machine, "2206-01-01")
    assert this_month in own_snapshots(earl)


@pytest.mark.parametrize("value", [{}, {"run_date": "2026-13-01"}, {"run_date": "2026-11"}, {"run_date": 20261101}])
def test_what_is_no_date_is_refused_before_anything_is_done(earl, machine, value):
    before = own_snapshots(earl)
    execution = start(earl, machine, value)
    assert (execution["status"], execution["error"]) == ("FAILED", "InvalidInput")
    assert execution["cause"].endswith('give {"run_date": "YYYY-MM-01"}')
    assert own_snapshots(earl) == before


def test_the_schedules_time_becomes_the_local_date(earl, machine, ended):
    """Midnight of 1 January 2026 in Sydney is 13:00 of 31 December in UTC."""
    assert (
        json.loads(start(earl, machine, {"scheduled_time": "2025-12-31T13:00:00Z"})["output"])["run_date"] == RUN_DATE
    )
