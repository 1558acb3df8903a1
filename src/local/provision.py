"""Creates in the emulator what Terraform creates in AWS: both accounts, from the same catalogue and templates.

Roles are permissive here. Terraform defines the permissions, and its tests check them.
"""

import json
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from artifacts import machines
from artifacts.zips import host_target, zip_name
from local.aws import names
from local.aws.beforehand import (
    Clients,
    create_cluster,
    create_interval_store,
    create_production,
    create_role,
    create_table,
    create_zone,
    subnets,
)
from shared import catalogue
from shared.catalogue import Function
from shared.paths import ROOT

TEMPLATE = ROOT / "modules" / "database-restore" / "bua-sql.template.json"

MAX_RECEIVES = 3
# Messages are small here, and a worker that was lost is missed when its time-out has passed.
MOST_TIMEOUT_SECONDS = 80
# Functions of one kind at a time, whatever the cloud's concurrency is: each takes a second of a core to start.
MOST_CONCURRENCY = max(2, min(os.cpu_count() or 2, 4))
TICK_SECONDS = 1
# A hundred sites make several messages, so that several functions have work.
MOST_ITEMS_PER_MESSAGE = 40


# How a stack is filled: clients, endpoint, PEM of the databases' authority, and production's dsn once it exists.
Provision = Callable[[Clients, str, str, Callable[[], str]], None]


@dataclass(frozen=True)
class Keys:
    """ARNs of the KMS keys: `shared` is EARL's for snapshots that ANSTEAD may read, `own` is ANSTEAD's."""

    shared: str
    own: str


def provision(clients: Clients, endpoint_url: str, authority: str, production_dsn: Callable[[], str]) -> None:
    """Create everything in both accounts, and production's empty billing database."""
    keys = _create_keys(clients)
    _create_storage(clients)
    _create_secrets(clients, authority)
    create_interval_store(clients)
    zone = create_zone(clients)
    with ThreadPoolExecutor(4) as pool:  # slow, and independent of the rest
        production = pool.submit(create_production, clients, production_dsn)
        functions = pool.submit(_create_functions, clients, _environment(endpoint_url, keys, zone))
        cluster = pool.submit(_create_node_group, clients)
        topic = _create_topic(clients)
        _create_restore_surroundings(clients)
        for started in (production, functions, cluster):
            started.result()
    _create_event_sources(clients)
    _create_machines(clients, endpoint_url, keys, topic)


def _create_keys(clients: Clients) -> Keys:
    def create(account: str, alias: str, users: list[str]) -> str:
        principals = [f"arn:aws:iam::{names.ACCOUNTS[user]}:root" for user in users]
        statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "kms:*", "Resource": "*"}
        kms = clients(account, "kms")
        key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))["KeyMetadata"]
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
        return str(key["Arn"])

    return Keys(
        shared=create("EARL", names.SHARED_KEY_ALIAS, ["EARL", "ANSTEAD"]),
        own=create("ANSTEAD", names.KEY_ALIAS, ["ANSTEAD"]),
    )


def _create_storage(clients: Clients) -> None:
    create_table(clients("ANSTEAD", "dynamodb"), names.CONTROL_TABLE, "control_key", "run_date")
    create_table(clients("ANSTEAD", "dynamodb"), names.INTERVAL_TABLE, "pk", "sk")
    s3 = clients("ANSTEAD", "s3")
    for bucket in (names.BUCKET, names.INTEGRATION_BUCKET):
        s3.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": names.REGION},
            ObjectLockEnabledForBucket=bucket == names.BUCKET,
        )  # fmt: skip
    s3.put_object(Bucket=names.BUCKET, Key=names.TEMPLATE_KEY, Body=TEMPLATE.read_bytes())
    for role in (names.INTERVAL_ROLE, names.INTERVAL_EXPORT_ROLE):
        create_role(clients("EARL", "iam"), role, {"AWS": f"arn:aws:iam::{names.ANSTEAD}:root"})
    _create_export_bucket(clients("EARL", "s3"))


def _create_export_bucket(s3: Any) -> None:
    """EARL's bucket of interval reads, which ANSTEAD may list and read."""
    bucket = names.INTERVAL_EXPORT_BUCKET
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": names.REGION})
    statement = {
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{names.ANSTEAD}:root"},
        "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }  # fmt: skip
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def _create_secrets(clients: Clients, authority: str) -> None:
    manager = clients("ANSTEAD", "secretsmanager")
    for role in names.DATABASE_ROLES:
        login = {"username": role, "password": secrets.token_urlsafe(16)}  # restore sets a new one
        manager.create_secret(Name=f"{names.SECRET_PREFIX}-{role}", SecretString=json.dumps(login))
    manager.create_secret(Name=f"{names.SECRET_PREFIX}-ca", SecretString=authority)


def _create_restore_surroundings(clients: Clients) -> None:
    rds = clients("ANSTEAD", "rds")
    rds.create_db_subnet_group(
        DBSubnetGroupName=names.SUBNET_GROUP,
        DBSubnetGroupDescription="The accrual's database",
        SubnetIds=subnets(clients),
    )
    rds.create_db_parameter_group(
        DBParameterGroupName=names.PARAMETER_GROUP, DBParameterGroupFamily="postgres17",
        Description="The accrual's database",
    )  # fmt: skip


def _create_node_group(clients: Clients) -> None:
    """The cluster with an empty node group: a step that forgets to scale it up leaves its work undone."""
    role = create_cluster(clients)
    clients("ANSTEAD", "eks").create_nodegroup(
        clusterName=names.EKS_CLUSTER, nodegroupName=names.EKS_NODE_GROUP, nodeRole=role, subnets=[],
        scalingConfig={"minSize": 0, "desiredSize": 0, "maxSize": 10},
    )  # fmt: skip


def _environment(endpoint_url: str, keys: Keys, zone: str) -> dict[str, str]:
    """The functions' environment variables: shared.settings, powertools."""
    return {
        "ENVIRONMENT": names.ENVIRONMENT, "PREFIX": names.PREFIX, "ACCOUNT_ID": names.ANSTEAD,
        "TIME_ZONE": names.TIME_ZONE, "CONTROL_TABLE": names.CONTROL_TABLE, "BUCKET": names.BUCKET,
        "INTEGRATION_BUCKET": names.INTEGRATION_BUCKET, "QUEUE_URL_PREFIX": _queue_url_prefix(endpoint_url),
        "STATE_MACHINE_ARN_PREFIX": names.machine_arn("ANSTEAD", ""), "TICK_SECONDS": str(TICK_SECONDS),
        "MOST_TIMEOUT_SECONDS": str(MOST_TIMEOUT_SECONDS), "MOST_ITEMS_PER_MESSAGE": str(MOST_ITEMS_PER_MESSAGE), "INTERVAL_TABLE": names.EARL_INTERVAL_TABLE,
        "INTERVAL_ROLE_ARN": f"arn:aws:iam::{names.EARL}:role/{names.INTERVAL_ROLE}",
        "INTERVAL_EXPORT_ROLE_ARN": f"arn:aws:iam::{names.EARL}:role/{names.INTERVAL_EXPORT_ROLE}",
        "INTERVAL_TABLE_PREFIX": names.RUN_INTERVAL_TABLE, "GENERATED_INTERVAL_TABLE": names.INTERVAL_TABLE,
        "DATABASE_NAME": names.DATABASE, "DATABASE_SECRET_PREFIX": names.SECRET_PREFIX,
        "DATABASE_DNS_NAME": names.DATABASE_DNS_NAME, "HOSTED_ZONE_ID": zone, "KMS_KEY_ARN": keys.own,
        "RESTORE_SUBNET_GROUP": names.SUBNET_GROUP, "RESTORE_PARAMETER_GROUP": names.PARAMETER_GROUP,
        "RESTORE_INSTANCE_CLASS": "db.r7g.large", "RESTORE_SECURITY_GROUP": "sg-0123456789abcdef0",
        "REPORT_TOPIC_ARN": names.arn("sns", names.ANSTEAD, names.REPORT_TOPIC),
        "ALARM_TOPIC_ARN": names.arn("sns", names.ANSTEAD, f"{names.PREFIX}-sns-bua-alarms"),
        "EKS_CLUSTER": names.EKS_CLUSTER, "EKS_NODE_GROUP": names.EKS_NODE_GROUP, "EKS_NAMESPACE": names.EKS_NAMESPACE,
        "POWERTOOLS_SERVICE_NAME": names.PREFIX, "POWERTOOLS_TRACE_DISABLED": "true", "POWERTOOLS_LOG_LEVEL": "INFO",
    }  # fmt: skip


def _queue_url_prefix(endpoint_url: str) -> str:
    return f"{endpoint_url}/{names.ANSTEAD}/{names.queue_name('')}"


def _create_functions(clients: Clients, environment: dict[str, str]) -> None:
    role = create_role(
        clients("ANSTEAD", "iam"), names.role_name("ANSTEAD", "lambda"), {"Service": "lambda.amazonaws.com"}
    )
    runtime = catalogue.load().runtime.python
    s3, functions = clients("ANSTEAD", "s3"), clients("ANSTEAD", "lambda")

    def create(key: str, function: Function) -> None:
        # By way of S3, which takes the bytes as they are; in a request for Lambda they would be base64.
        archive = host_target().directory / zip_name(key)
        s3.put_object(Bucket=names.BUCKET, Key=f"functions/{archive.name}", Body=archive.read_bytes())
        functions.create_function(
            FunctionName=names.function_name(key), Runtime=runtime, Role=role,
            Handler=f"lambdas.{key.replace('-', '_')}.handler.lambda_handler",
            Code={"S3Bucket": names.BUCKET, "S3Key": f"functions/{archive.name}"},
            Timeout=_timeout(function), MemorySize=function.memory_mb, Environment={"Variables": environment},
            EphemeralStorage={"Size": function.ephemeral_mb},
        )  # fmt: skip

    for key, function in catalogue.load().functions.items():
        create(key, function)


def _create_topic(clients: Clients) -> str:
    """EARL's topic, the queue of notify subscribed to it across the accounts, and the topic of the report."""
    sns, sqs = clients("EARL", "sns"), clients("ANSTEAD", "sqs")
    topic = str(sns.create_topic(Name=names.TOPIC)["TopicArn"])
    clients("ANSTEAD", "sns").create_topic(Name=names.REPORT_TOPIC)
    for key, function in catalogue.load().functions.items():
        if function.queue:
            visibility = 6 * _timeout(function) if key in _workers() else _timeout(function) + 15
            _create_queue(sqs, names.queue_name(key), visibility, topic if key == "notify" else None)
    queue_arn = names.arn("sqs", names.ANSTEAD, names.queue_name("notify"))
    # The owner of the queue subscribes it, which the topic's policy allows; nothing is left to confirm.
    clients("ANSTEAD", "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    return topic


def _timeout(function: Function) -> int:
    return min(function.timeout_seconds, MOST_TIMEOUT_SECONDS) if function.queue else function.timeout_seconds


def _workers() -> set[str]:
    """The functions to which the items of some run type go."""
    return {run_type.function for run_type in catalogue.load().run_types.values()}


def _create_queue(sqs: Any, name: str, visibility_seconds: int, publisher: str | None) -> None:
    dead_letters = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    dead_letter_arn = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    redrive = {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": MAX_RECEIVES}
    attributes = {"VisibilityTimeout": str(visibility_seconds), "RedrivePolicy": json.dumps(redrive)}
    if publisher:
        statement = {
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": names.arn("sqs", names.ANSTEAD, name), "Condition": {"ArnEquals": {"aws:SourceArn": publisher}},
        }  # fmt: skip
        attributes["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.create_queue(QueueName=name, Attributes=attributes)


def _create_event_sources(clients: Clients) -> None:
    functions = clients("ANSTEAD", "lambda")
    for key, function in catalogue.load().functions.items():
        if function.queue:
            functions.create_event_source_mapping(
                EventSourceArn=names.arn("sqs", names.ANSTEAD, names.queue_name(key)),
                FunctionName=names.function_name(key),
                BatchSize=function.queue.batch_size,
                ScalingConfig={"MaximumConcurrency": min(function.queue.concurrency, MOST_CONCURRENCY)},
                FunctionResponseTypes=["ReportBatchItemFailures"],
            )


def _create_machines(clients: Clients, endpoint_url: str, keys: Keys, topic: str) -> None:
    plain = {
        "production_instance": names.PRODUCTION, "shared_key_arn": keys.shared, "accrual_account_id": names.ANSTEAD,
        "snapshot_topic_arn": topic, "snapshots_kept": "3", "interval_export_bucket": names.INTERVAL_EXPORT_BUCKET,
        "interval_table_arn": names.arn("dynamodb", names.EARL, f"table/{names.EARL_INTERVAL_TABLE}"),
    }  # fmt: skip
    entries = catalogue.load()
    prefixes = {"EARL": names.EARL_PREFIX, "ANSTEAD": names.PREFIX}
    for account, prefix in prefixes.items():
        role = create_role(
            clients(account, "iam"), names.role_name(account, "states"), {"Service": "states.amazonaws.com"}
        )
        values = plain | machines.environment_values(
            entries, names.REGION, names.ACCOUNTS[account], prefix, _queue_url_prefix(endpoint_url)
        )
        for machine in (machine for machine in entries.state_machines if machine.account == account):
            definition = machines.render_machine(entries, machine, values)
            clients(account, "stepfunctions").create_state_machine(
                name=f"{prefix}-{machine.step}", roleArn=role, definition=json.dumps(definition)
            )
