"""Snapshots, copies, restore and termination: AWS's rules, and real databases behind them."""

import json
import time

import psycopg2
import pytest
from botocore.exceptions import ClientError

from local.aws import names
from local.provision import TEMPLATE

RESTORED = f"{names.PREFIX}-14-bua-sql"


def refusal(function, **arguments):
    with pytest.raises(ClientError) as refused:
        function(**arguments)
    return refused.value.response["Error"]["Code"]


def wait_for_snapshot(rds, name):
    seen = set()
    while (status := rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]["Status"]) != "available":
        assert status == "creating"
        seen.add(status)
        time.sleep(0.05)
    return seen


def create_stack(client, name, snapshot):
    parameters = {
        "InstanceName": name, "SnapshotIdentifier": snapshot, "InstanceClass": "db.r7g.large",
        "SubnetGroup": names.SUBNET_GROUP, "ParameterGroup": names.PARAMETER_GROUP, "SecurityGroup": "sg-1",
        "AllocatedStorage": "100", "LowBytes": "10737418240", "KmsKey": names.KEY_ALIAS,
        "AlarmTopic": names.arn("sns", names.ANSTEAD, "alarms"),
    }  # fmt: skip
    client.create_stack(
        StackName=name, TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )  # fmt: skip
    while (found := client.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"].endswith("IN_PROGRESS"):
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def shared_snapshot(stack):
    """Production with a row that the snapshot holds and one that it does not; the snapshot's ARN, shared."""
    rds = stack.client("EARL", "rds")
    with psycopg2.connect(stack.production_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("insert into core.plan values ('BEFORE')")
    rds.create_db_snapshot(DBSnapshotIdentifier="test-first", DBInstanceIdentifier=names.PRODUCTION)
    wait_for_snapshot(rds, "test-first")
    with psycopg2.connect(stack.production_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("insert into core.plan values ('AFTER')")
    share = {"AttributeName": "restore", "ValuesToAdd": [names.ANSTEAD]}
    assert (
        refusal(rds.modify_db_snapshot_attribute, DBSnapshotIdentifier="test-first", **share)
        == "InvalidParameterCombination"
    )
    key = stack.client("EARL", "kms").describe_key(KeyId=names.SHARED_KEY_ALIAS)["KeyMetadata"]["Arn"]
    copied = rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier="test-first", TargetDBSnapshotIdentifier="test-first-shared", KmsKeyId=key
    )
    arn = copied["DBSnapshot"]["DBSnapshotArn"]
    describe = stack.client("ANSTEAD", "rds").describe_db_snapshots
    assert refusal(describe, DBSnapshotIdentifier=arn) == "DBSnapshotNotFound"
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="test-first-shared", **share)
    return arn


def test_a_shared_snapshot_is_seen_by_its_arn_and_copied_under_an_own_key_only(stack, shared_snapshot):
    rds = stack.client("ANSTEAD", "rds")
    assert rds.describe_db_snapshots(DBSnapshotIdentifier=shared_snapshot)["DBSnapshots"][0]["Encrypted"]
    listed = rds.describe_db_snapshots(SnapshotType="shared", IncludeShared=True)["DBSnapshots"]
    assert [snapshot["DBSnapshotArn"] for snapshot in listed if "test-first" in snapshot["DBSnapshotArn"]] == [
        shared_snapshot
    ]
    copy = {"SourceDBSnapshotIdentifier": shared_snapshot, "TargetDBSnapshotIdentifier": "test-keyless"}
    assert refusal(rds.copy_db_snapshot, **copy) == "DBSnapshotNotFound"  # it was shared a moment ago
    assert refusal(rds.copy_db_snapshot, **copy) == "KMSKeyNotAccessibleFault"
    assert refusal(rds.delete_db_snapshot, DBSnapshotIdentifier="test-first-shared") == "DBSnapshotNotFound"


def test_a_shared_encrypted_snapshot_cannot_be_restored(stack, shared_snapshot):
    client = stack.client("ANSTEAD", "cloudformation")
    found = create_stack(client, "test-forbidden", shared_snapshot)
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"
    reasons = " ".join(
        e.get("ResourceStatusReason", "")
        for e in client.describe_stack_events(StackName="test-forbidden")["StackEvents"]
    )
    assert "copy it under a key of your own" in reasons
    assert "test-forbidden" not in json.dumps(stack.client("ANSTEAD", "rds").describe_db_instances(), default=str)


def test_restore_makes_a_database_and_termination_drops_it(stack, shared_snapshot):
    rds, client = stack.client("ANSTEAD", "rds"), stack.client("ANSTEAD", "cloudformation")
    key = stack.client("ANSTEAD", "kms").describe_key(KeyId=names.KEY_ALIAS)["KeyMetadata"]["Arn"]
    rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier=shared_snapshot, TargetDBSnapshotIdentifier="test-own", KmsKeyId=key
    )
    found = create_stack(client, RESTORED, "test-own")
    assert found["StackStatus"] == "CREATE_COMPLETE", found
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
    instance = rds.describe_db_instances(DBInstanceIdentifier=RESTORED)["DBInstances"][0]
    assert outputs == {"Endpoint": instance["Endpoint"]["Address"], "Port": str(instance["Endpoint"]["Port"])}
    assert outputs["Endpoint"].endswith(f".{names.REGION}.rds.amazonaws.com")
    assert instance["StorageEncrypted"]

    change = {"DBInstanceIdentifier": RESTORED, "MasterUserPassword": "a-new-password", "ApplyImmediately": True}
    assert refusal(rds.modify_db_instance, **change) == "InvalidDBInstanceState"  # it was restored a moment ago
    rds.modify_db_instance(**change)
    arguments = {
        "host": outputs["Endpoint"], "hostaddr": "127.0.0.1", "port": outputs["Port"], "dbname": names.DATABASE,
        "user": names.MASTER, "sslmode": "verify-full", "sslrootcert": str(stack.authority_file),
    }  # fmt: skip
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(**arguments, password="the-old-one")
    connection = psycopg2.connect(**arguments, password="a-new-password")
    with connection.cursor() as cursor:
        cursor.execute("select array_agg(plan_code) from core.plan")
        assert cursor.fetchone() == (["BEFORE"],)
        cursor.execute("insert into core.plan values ('OURS')")
    connection.commit()
    connection.close()
    with psycopg2.connect(stack.production_dsn) as production, production.cursor() as cursor:
        cursor.execute("select array_agg(plan_code order by plan_code) from core.plan")
        assert cursor.fetchone() == (["AFTER", "BEFORE"],)

    client.delete_stack(StackName=RESTORED)
    rds.delete_db_snapshot(DBSnapshotIdentifier="test-own")
    deadline = time.monotonic() + 10
    while True:
        assert time.monotonic() < deadline, "the database outlived its stack"
        try:
            psycopg2.connect(**arguments, password="a-new-password").close()
        except psycopg2.OperationalError:
            break
    assert refusal(rds.describe_db_instances, DBInstanceIdentifier=RESTORED) == "DBInstanceNotFound"
    assert refusal(rds.describe_db_snapshots, DBSnapshotIdentifier="test-own") == "DBSnapshotNotFound"


def test_an_unknown_snapshot_and_a_direct_restore_are_refused(stack):
    rds = stack.client("ANSTEAD", "rds")
    restore = {"DBInstanceIdentifier": "x", "DBSnapshotIdentifier": "none"}
    assert refusal(rds.restore_db_instance_from_db_snapshot, **restore) == "InvalidAction"
    found = create_stack(stack.client("ANSTEAD", "cloudformation"), "test-unknown", "none")
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"
