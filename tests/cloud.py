"""An environment of moto's AWS for the functions, and a context in it. Names are those of the environment tst."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import boto3
import psycopg2
import pytest
from moto import mock_aws
from moto.backends import get_backend

from shared import catalogue
from shared.aws import clients
from shared.context import Context
from shared.errors import DatabaseUnavailable, NoCurrentRun
from shared.ledger import Ledger
from shared.settings import Settings, from_environment

ACCOUNT, REGION, PREFIX = "123456789012", "ap-southeast-2", "tst-anstead"  # moto's own account
RUN_DATE = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)

ENVIRONMENT = {
    "ENVIRONMENT": "tst",
    "PREFIX": PREFIX,
    "ACCOUNT_ID": ACCOUNT,
    "AWS_REGION": REGION,
    "CONTROL_TABLE": f"{PREFIX}-ddb-bua",
    "INTERVAL_TABLE": "tst-earl-ddb-interval",
    "INTERVAL_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/tst-earl-role-bua-interval-read",
    "INTERVAL_EXPORT_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/tst-earl-role-bua-interval-export",
    "INTERVAL_TABLE_PREFIX": f"{PREFIX}-ddb-bua-interval-",
    "GENERATED_INTERVAL_TABLE": f"{PREFIX}-ddb-interval",
    "BUCKET": f"{PREFIX}-s3-bua",
    "INTEGRATION_BUCKET": f"{PREFIX}-s3-rw-integration",
    "DATABASE_SECRET_PREFIX": f"{PREFIX}-bua-db",
    "TICK_SECONDS": "0",
    "QUEUE_URL_PREFIX": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{PREFIX}-sqs-bua-",
    "STATE_MACHINE_ARN_PREFIX": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{PREFIX}-",
    "EKS_CLUSTER": f"{PREFIX}-eks",
    "EKS_NODE_GROUP": f"{PREFIX}-bua",
    "REPORT_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:{PREFIX}-sns-bua-report",
    "HOSTED_ZONE_ID": "Z0",
    "DATABASE_DNS_NAME": "sql.bua.tst.anstead.internal",
    "RESTORE_SUBNET_GROUP": f"{PREFIX}-bua",
    "RESTORE_PARAMETER_GROUP": f"{PREFIX}-bua",
    "RESTORE_INSTANCE_CLASS": "db.r7g.large",
    "RESTORE_SECURITY_GROUP": "sg-0",
    "ALARM_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:{PREFIX}-sns-bua-alarms",
    "KMS_KEY_ARN": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
}


@pytest.fixture
def settings() -> Settings:
    return from_environment(ENVIRONMENT)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    """The queues, tables, buckets and secrets that Terraform makes."""
    for name, value in {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():  # the clients outlive it: moto answers them as long as one of its mocks is on
        _create(settings)
        yield


def _create(settings: Settings) -> None:
    dynamodb = clients.client("dynamodb")
    sqs = get_backend("sqs")[ACCOUNT][REGION]  # by moto's own hand: two dozen requests before every test take longer
    for table, keys in ((settings.control_table, ("control_key", "run_date")), (settings.interval_table, ("pk", "sk"))):
        dynamodb.create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
    for key, function in catalogue.load().functions.items():
        if function.queue:
            sqs.create_queue(f"{PREFIX}-sqs-bua-{key}")
            sqs.create_queue(f"{PREFIX}-sqs-bua-{key}-dlq")
    for bucket in (settings.bucket, settings.integration_bucket):
        clients.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION},
            ObjectLockEnabledForBucket=bucket == settings.bucket,
        )  # fmt: skip
    for role in ("core_admin", "workflow", "meterdata", "lambda", "ca"):
        clients.client("secretsmanager").create_secret(Name=settings.database_secret(role), SecretString="{}")


@dataclass
class DirectDatabase:
    """Sessions on a test's database: what shared.database.Database gives, without TLS and secrets."""

    dsn_of: Any = None
    sessions: list[str] = field(default_factory=list)
    brief_sessions: int = 0
    is_down: bool = False

    @contextlib.contextmanager
    def session(self, remaining_seconds: float, role: str = "lambda") -> Iterator[Any]:
        assert remaining_seconds > 0
        if self.is_down:
            raise DatabaseUnavailable("down")
        if self.dsn_of is None:
            raise NoCurrentRun("no database is restored in this environment")
        self.sessions.append(role)
        with contextlib.closing(psycopg2.connect(self.dsn_of(role))) as connection:
            yield connection

    @contextlib.contextmanager
    def brief_session(self, remaining_seconds: float, role: str = "lambda") -> Iterator[Any]:
        self.brief_sessions += 1
        with self.session(remaining_seconds, role) as connection:
            yield connection


@dataclass
class States:
    """Step Functions as far as the functions use it; moto's answers no task tokens."""

    running: set[str] = field(default_factory=set)
    live_tokens: set[str] = field(default_factory=lambda: {"token"})
    heartbeats: list[str] = field(default_factory=list)
    succeeded: dict[str, str] = field(default_factory=dict)
    failed: dict[str, tuple[str, str]] = field(default_factory=dict)
    started: dict[str, str] = field(default_factory=dict)
    exceptions: Any = None

    def __post_init__(self) -> None:
        self.exceptions = boto3.client("stepfunctions", region_name=REGION).exceptions

    def _token(self, token: str) -> None:
        if token not in self.live_tokens:
            error = {"Error": {"Code": "TaskTimedOut", "Message": "gone"}}
            raise self.exceptions.TaskTimedOut(error, "SendTaskHeartbeat")

    def send_task_heartbeat(self, taskToken: str) -> None:  # noqa: N803 - boto3's names
        self._token(taskToken)
        self.heartbeats.append(taskToken)

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803
        self._token(taskToken)
        self.live_tokens.discard(taskToken)
        self.succeeded[taskToken] = output

    def send_task_failure(self, taskToken: str, error: str, cause: str) -> None:  # noqa: N803
        self._token(taskToken)
        self.live_tokens.discard(taskToken)
        self.failed[taskToken] = (error, cause)

    def describe_execution(self, executionArn: str) -> dict[str, str]:  # noqa: N803
        return {"status": "RUNNING" if executionArn in self.running else "ABORTED"}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        assert stateMachineArn.endswith(":stateMachine:tst-anstead-bua")
        if name in self.started:
            error = {"Error": {"Code": "ExecutionAlreadyExists", "Message": name}}
            raise self.exceptions.ExecutionAlreadyExists(error, "StartExecution")
        self.started[name] = input


@pytest.fixture
def states(cloud: None) -> States:
    return States()


@pytest.fixture
def database() -> DirectDatabase:
    return DirectDatabase()


@pytest.fixture
def context(cloud: None, settings: Settings, states: States, database: DirectDatabase) -> Context:
    """A context without a database; tests that need one point `database` to theirs."""

    def client(service: str) -> Any:
        return states if service == "stepfunctions" else clients.client(service)

    ledger = Ledger(clients.client("dynamodb"), settings.control_table)
    return Context(settings, client, ledger, database, NOW, lambda: 900.0)  # type: ignore[arg-type]


@pytest.fixture
def hurried(context: Context) -> Context:
    """A context whose function is about to reach its limit."""
    return replace(context, remaining_seconds=lambda: 20.0)


def messages(url: str) -> list[dict[str, Any]]:
    """All messages of a queue, taken off it."""
    sqs = clients.client("sqs")
    taken: list[dict[str, Any]] = []
    while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
        "Messages"
    ):
        taken += batch
        for message in batch:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return taken
