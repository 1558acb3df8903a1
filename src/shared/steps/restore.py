"""bua-restore and bua-terminate: the run's own database, from the snapshot that EARL shared, and its deletion.

Every action may be repeated: what exists is kept or replaced, never duplicated. A rerun gives a fresh database.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError
from psycopg2 import sql

from shared.context import Context
from shared.database import contract, logins, migrate
from shared.database.connections import ADMIN
from shared.database.prerequisites import GB, SERVICE_ROLES
from shared.errors import DatabaseUnavailable, InvalidInput, NotReady, RdsNotReady, ResourceFailed
from shared.period import recorded
from shared.steps.control import TERMINATED
from shared.steps.requests import RunRequest
from shared.telemetry import logger

TEMPLATE_KEY = "templates/bua-sql.json"
DNS_TTL_SECONDS = 60
# To sample a table whose blocks still come from S3: 30,000 of them, each up to a tenth of a second, ten at a time.
STATISTICS_SECONDS = 300.0

_STACK_BROKEN = ("FAILED", "ROLLBACK")


def stack_name(context: Context, update_id: int) -> str:
    """Name of the CloudFormation stack, and of the RDS instance in it."""
    return f"{context.settings.prefix}-{update_id}-bua-sql"


def copy_name(context: Context, request: RunRequest) -> str:
    """Name of ANSTEAD's own copy of the snapshot."""
    return f"{context.settings.prefix}-bua-{request.run_date.isoformat()}"


def discard_stack(context: Context, request: RunRequest) -> dict[str, Any]:
    """Delete the run's stack, if there is one; raises NotReady until it is gone."""
    update_id = context.ledger.run(request.run_date).get("update_id")
    if update_id is None:
        return {"stack": None}
    name = stack_name(context, int(update_id))
    if context.ledger.current().run_date == request.run_date:
        context.ledger.set_current({"update_id": int(update_id)}, remove=("db_host", "db_port"))
    stack = _describe_stack(context, name)
    if stack is None:
        return {"stack": name}
    status = stack["StackStatus"]
    if status == "DELETE_FAILED":
        reason = _first_failure(context, stack["StackId"])
        context.client("cloudformation").delete_stack(StackName=name)
        raise ResourceFailed(f"stack {name} could not be deleted: {reason}. The deletion has been started again")
    if status != "DELETE_IN_PROGRESS":
        context.client("cloudformation").delete_stack(StackName=name)
    raise NotReady(f"stack {name} is being deleted")


def copy_snapshot(context: Context, request: RunRequest) -> dict[str, Any]:
    """Copy the shared snapshot under ANSTEAD's key: AWS cannot restore one that is both shared and encrypted.

    Raises NotReady while an earlier, useless copy still exists, RdsNotReady while RDS does not see the shared one.
    """
    run = context.ledger.run(request.run_date)
    source = run.get("snapshot_arn")
    if not source:
        raise InvalidInput(f'no snapshot is known for the run of {request.run_date}: give "snapshot_arn"')
    update_id = context.ledger.update_id(request.run_date)
    context.ledger.set_current({"update_id": update_id})
    rds = context.client("rds")
    name = copy_name(context, request)
    if run.get("snapshot_copied_from") not in (None, source):
        logger.warning("the copy is of another snapshot, replacing it", snapshot=name)
        _delete_snapshot(rds, name)
    try:
        with _passing_refusals():
            rds.copy_db_snapshot(
                SourceDBSnapshotIdentifier=source,
                TargetDBSnapshotIdentifier=name,
                KmsKeyId=context.settings.kms_key_arn,
            )
    except rds.exceptions.DBSnapshotAlreadyExistsFault:
        status = rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]["Status"]
        if status == "failed":
            _delete_snapshot(rds, name)
        if status in ("failed", "deleting"):
            raise NotReady(f"an earlier copy {name} is {status} and must be deleted first") from None
        logger.info("the snapshot is copied already", snapshot=name)
    context.ledger.set_run(request.run_date, {"snapshot_copied_from": source})
    return {"snapshot": name, "update_id": update_id}


def wait_for_snapshot(context: Context, request: RunRequest) -> dict[str, Any]:
    """Raise NotReady until the copy is available."""
    name = copy_name(context, request)
    response = context.client("rds").describe_db_snapshots(DBSnapshotIdentifier=name)
    snapshot = response["DBSnapshots"][0]
    if snapshot["Status"] == "failed":
        raise ResourceFailed(f"the copy {name} of the snapshot failed")
    if snapshot["Status"] != "available":
        raise NotReady(f"snapshot {name} is {snapshot['Status']} ({snapshot.get('PercentProgress', 0)} %)")
    return {"snapshot": name}


def create_stack(context: Context, request: RunRequest) -> dict[str, Any]:
    """Execute the CloudFormation template that creates the instance from the snapshot."""
    settings = context.settings
    name = stack_name(context, context.ledger.update_id(request.run_date))
    cloudformation = context.client("cloudformation")
    template = context.client("s3").get_object(Bucket=settings.bucket, Key=TEMPLATE_KEY)["Body"].read().decode("utf-8")
    parameters = {
        "InstanceName": name,
        "SnapshotIdentifier": copy_name(context, request),
        "InstanceClass": settings.restore_instance_class,
        "SubnetGroup": settings.restore_subnet_group,
        "ParameterGroup": settings.restore_parameter_group,
        "SecurityGroup": settings.restore_security_group,
        "KmsKey": settings.kms_key_arn,
        "AlarmTopic": settings.alarm_topic_arn,
        **_disk(context, request),
    }
    try:
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Tags=[{"Key": "run_date", "Value": request.run_date.isoformat()}],
        )
    except cloudformation.exceptions.AlreadyExistsException:
        logger.info("the stack exists already", stack=name)
    return {"stack": name}


def _disk(context: Context, request: RunRequest) -> dict[str, str]:
    """Size and speed of the instance's disk. It holds what the run adds as well, and RDS makes no disk smaller."""
    settings, name = context.settings, copy_name(context, request)
    snapshot = context.client("rds").describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]
    size_gb = max(settings.restore_allocated_storage_gb, int(snapshot["AllocatedStorage"]))
    return {
        "AllocatedStorage": str(size_gb),
        "LowBytes": str(size_gb * GB // 10),
        "Iops": str(settings.restore_iops),
        "StorageThroughput": str(settings.restore_throughput),
    }


def wait_for_stack(context: Context, request: RunRequest) -> dict[str, Any]:
    """Raise NotReady until the stack is complete, then record the database's address in the ledger."""
    name = stack_name(context, context.ledger.update_id(request.run_date))
    stack = _describe_stack(context, name)
    if stack is None:
        raise ResourceFailed(f"stack {name} does not exist")
    status = stack["StackStatus"]
    if any(text in status for text in _STACK_BROKEN):
        raise ResourceFailed(f"stack {name} is {status}: {_first_failure(context, stack['StackId'])}")
    if status != "CREATE_COMPLETE":
        raise NotReady(f"stack {name} is {status}")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    address = {"db_host": outputs["Endpoint"], "db_port": int(outputs["Port"])}
    context.ledger.set_current(address)
    return {"stack": name, **address}


def reset_admin_password(context: Context, request: RunRequest) -> dict[str, Any]:
    """Give the new instance's master role a new random password, kept in Secrets Manager.

    Raises RdsNotReady while the instance is at work: it is so for minutes after its stack is complete.
    """
    password = _new_password()
    _store_password(context, ADMIN, password)
    name = stack_name(context, context.ledger.update_id(request.run_date))
    with _passing_refusals():
        context.client("rds").modify_db_instance(
            DBInstanceIdentifier=name, MasterUserPassword=password, ApplyImmediately=True
        )
    return {"instance": name}


def wait_for_admin_password(context: Context, request: RunRequest) -> dict[str, Any]:
    """Raise NotReady until the master role can connect with its new password."""
    del request
    try:
        with context.database.session(context.remaining_seconds(), ADMIN):
            return {"role": ADMIN}
    except DatabaseUnavailable as error:
        raise NotReady(str(error)) from error


def check_contract(context: Context, request: RunRequest) -> dict[str, Any]:
    """Refuse a database that lacks something that the accrual relies on, and say all that it lacks at once."""
    name = stack_name(context, context.ledger.update_id(request.run_date))
    instance = context.client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    with context.database.session(context.remaining_seconds(), ADMIN) as connection, connection.cursor() as cursor:
        contract.check(cursor, request.run_date, instance["AllocatedStorage"])
    return {"tables": len(contract.TABLES)}


def migrate_schema(context: Context, request: RunRequest) -> dict[str, Any]:
    """Install schema bua, register the run with its period and create its partitions."""
    period = recorded(context.ledger.run(request.run_date), request.run_date)
    with context.database.session(context.remaining_seconds(), ADMIN) as connection:
        report = migrate.run(connection)
        with connection.cursor() as cursor:
            cursor.execute(
                "call bua.prepare_run(%s, %s, %s, %s)",
                (request.run_date, period.from_date, period.to_date, period.as_at),
            )
        connection.commit()
    return {"migrations": report.migrations, "procedures": report.procedures, "dropped": report.dropped}


def disable_schedules(context: Context, request: RunRequest) -> dict[str, Any]:
    """Disable all workflow schedules: the copy must not bill customers."""
    del request
    with context.database.session(context.remaining_seconds(), ADMIN) as connection, connection.cursor() as cursor:
        cursor.execute("update core.workflow_schedule set is_enabled = false where is_enabled")
        disabled = cursor.rowcount
        connection.commit()
    return {"disabled": disabled}


def truncate_workflow(context: Context, request: RunRequest) -> dict[str, Any]:
    """Truncate WorkflowInstance, with its exceptions, and EventLog."""
    del request
    with context.database.session(context.remaining_seconds(), ADMIN) as connection, connection.cursor() as cursor:
        cursor.execute("truncate core.workflow_exception, core.workflow_instance, core.event_log restart identity")
        connection.commit()
    return {}


def set_passwords(context: Context, request: RunRequest) -> dict[str, Any]:
    """Give workflow, meterdata and lambda new random passwords, kept in Secrets Manager."""
    del request
    passwords = {role: _new_password() for role in SERVICE_ROLES}
    with context.database.session(context.remaining_seconds(), ADMIN) as connection, connection.cursor() as cursor:
        for role, password in passwords.items():
            statement = sql.SQL("alter role {} login password {}")
            cursor.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
        connection.commit()
    for role, password in passwords.items():
        _store_password(context, role, password)
    return {"roles": list(SERVICE_ROLES)}


def close_logins(context: Context, request: RunRequest) -> dict[str, Any]:
    """Close the copy to every login that it has from production, but those of the accrual."""
    del request
    with context.database.session(context.remaining_seconds(), ADMIN) as connection, connection.cursor() as cursor:
        closed = logins.close(cursor)
        connection.commit()
    return dict(closed)


def calculate_statistics(context: Context, request: RunRequest) -> dict[str, Any]:
    """Calculate statistics for AggregatedRead: a restored database has only those of production's last ANALYZE.

    One relation after the other, each kept when it is done. Raises NotReady when the function has no time for another.
    """
    del request
    while True:
        with context.database.session(context.remaining_seconds(), ADMIN) as connection, connection.cursor() as cursor:
            cursor.execute("select * from bua.uncalculated_statistics(%s)", ("core.aggregated_read",))
            left = [relation for (relation,) in cursor.fetchall()]
            if not left:
                return {}
            if context.remaining_seconds() < STATISTICS_SECONDS:
                raise NotReady(f"the statistics of {len(left)} tables are to be calculated, next {left[0]}")
            cursor.execute("call bua.calculate_statistics(%s)", (left[0],))
            connection.commit()


def point_dns(context: Context, request: RunRequest) -> dict[str, Any]:
    """Point the pods' name for the database to the new instance."""
    del request
    host, _ = context.ledger.current().database_address()
    record = {
        "Name": context.settings.database_dns_name,
        "Type": "CNAME",
        "TTL": DNS_TTL_SECONDS,
        "ResourceRecords": [{"Value": host}],
    }
    context.client("route53").change_resource_record_sets(
        HostedZoneId=context.settings.hosted_zone_id,
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
    )
    return {"name": context.settings.database_dns_name, "host": host}


def delete_copy(context: Context, request: RunRequest) -> dict[str, Any]:
    """Delete ANSTEAD's copy of the snapshot and record that the run's database is gone: the end of bua-terminate.

    Raises NotReady while the copy is being made.
    """
    name = copy_name(context, request)
    _delete_snapshot(context.client("rds"), name)
    if context.ledger.current().run_date == request.run_date:
        context.ledger.set_current({"state": TERMINATED}, remove=("db_host", "db_port"))
    return {"snapshot": name}


# Codes with which RDS refuses what it will accept a little later. A quota may be freed by the deletion of another snapshot.
_PASSING = ("DBSnapshotNotFound", "SnapshotQuotaExceeded", "InvalidDBInstanceState", "InvalidDBSnapshotState")


@contextmanager
def _passing_refusals() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"].removesuffix("Fault") in _PASSING:
            raise RdsNotReady(str(error)) from error
        raise


def _describe_stack(context: Context, name: str) -> dict[str, Any] | None:
    try:
        stacks = context.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # how CloudFormation says "does not exist"
            return None
        raise
    stack: dict[str, Any] | None = stacks[0] if stacks else None
    return None if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _first_failure(context: Context, stack_id: str) -> str:
    events = context.client("cloudformation").describe_stack_events(StackName=stack_id)["StackEvents"]
    failures = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    if not failures:
        return "no reason is given"
    first = failures[-1]  # newest come first; the oldest failure is the cause of the others
    return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason is given')}"


def _delete_snapshot(rds: Any, name: str) -> None:
    try:
        rds.delete_db_snapshot(DBSnapshotIdentifier=name)
    except rds.exceptions.DBSnapshotNotFoundFault:
        logger.info("there is no snapshot to delete", snapshot=name)
    except rds.exceptions.InvalidDBSnapshotStateFault as error:  # it is being copied, or deleted
        raise NotReady(f"snapshot {name} cannot be deleted yet: {error}") from error


def _new_password() -> str:
    return secrets.token_urlsafe(32)


def _store_password(context: Context, role: str, password: str) -> None:
    context.client("secretsmanager").put_secret_value(
        SecretId=context.settings.database_secret(role),
        SecretString=json.dumps({"username": role, "password": password}),
    )
