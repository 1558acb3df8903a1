"""The local stack: the emulator's process, both accounts filled, and everything stopped and deleted again at the end."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import psycopg2.extensions
from botocore.config import Config

from artifacts.zips import BUILD
from local.aws import names
from local.aws.postgres import free_port, remove_directory
from local.provision import Provision, provision
from shared.errors import BuaError
from shared.ledger import Ledger

_START_SECONDS = 120.0
_STOP_SECONDS = 30.0
_CONFIG = Config(retries={"max_attempts": 2}, read_timeout=120, max_pool_connections=16)

# Waits and retry intervals of the state machines pass fifty times as fast as on AWS, without spinning.
WAIT_SCALE = 0.02
# ... but a task that waits for its token is given this long between heartbeats, whatever the scale makes of its hours.
HEARTBEAT_SECONDS = 300.0


class StackFailed(BuaError):  # noqa: N818
    """The local stack did not start; the message says where its logs are."""


class LocalStack:
    """`with LocalStack(directory) as stack:` two AWS accounts, a production database, a cluster; deleted at the end.

    `directory` may contain an earlier stack's logs; databases and worker directories in it are deleted.
    """

    def __init__(
        self,
        directory: Path,
        *,
        pods: int = 2,
        wait_scale: float = WAIT_SCALE,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        provision: Provision = provision,
    ) -> None:
        self.directory = directory.resolve()
        self.log_directory = self.directory / "logs"
        self._pods = pods
        self._wait_scale = wait_scale
        self._heartbeat_seconds = heartbeat_seconds
        self._provision = provision
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._sessions: dict[str, boto3.Session] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    @property
    def endpoint_url(self) -> str:
        """Where boto3 finds the emulator."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def process_id(self) -> int:
        """The emulator's process, whose children are the functions' sandboxes; only while the stack runs."""
        assert self._process
        return self._process.pid

    @property
    def authority_file(self) -> Path:
        """PEM file of the authority that signs the databases' certificates."""
        return self.directory / names.AUTHORITY_FILE

    @property
    def production_dsn(self) -> str:
        """libpq connection string of production's database, as its master role."""
        return self.dsn("EARL", names.PRODUCTION, names.PRODUCTION_SECRET)

    def session(self, account: str) -> boto3.Session:
        """A boto3 session of account EARL or ANSTEAD; give its clients `endpoint_url`, or use `client`."""
        return boto3.Session(names.ACCOUNTS[account], "local", region_name=names.REGION)

    def client(self, account: str, service: str) -> Any:
        """A client of account EARL or ANSTEAD; threads may share it. Making one takes a tenth of a second, so it is kept."""
        with self._lock:
            if (account, service) not in self._clients:
                session = self._sessions.setdefault(account, self.session(account))
                self._clients[account, service] = session.client(
                    service, endpoint_url=self.endpoint_url, config=_CONFIG
                )
            return self._clients[account, service]

    def dsn(self, account: str, instance: str, secret: str) -> str:
        """libpq connection string of an RDS instance for the role of a secret, the server's certificate verified."""
        found = self.client(account, "rds").describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
        login = json.loads(self.client(account, "secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
        return psycopg2.extensions.make_dsn(
            host=found["Endpoint"]["Address"], hostaddr="127.0.0.1", port=found["Endpoint"]["Port"],
            dbname=names.DATABASE, user=login["username"], password=login["password"],
            sslmode="verify-full", sslrootcert=str(self.authority_file),
        )  # fmt: skip

    def run_dsn(self) -> str:
        """libpq connection string of the current run's database, as its master role; raises NoCurrentRun."""
        current = Ledger(self.client("ANSTEAD", "dynamodb"), names.CONTROL_TABLE).current()
        current.database_address()
        return self.dsn(
            "ANSTEAD", f"{names.PREFIX}-{current.update_id}-bua-sql", f"{names.SECRET_PREFIX}-{names.MASTER}"
        )

    def start_month(self, run_date: date) -> str:
        """Do what EARL's schedule does at midnight of the first: start the snapshot machine. Returns the execution's ARN."""
        execution = self.client("EARL", "stepfunctions").start_execution(
            stateMachineArn=names.machine_arn("EARL", "snapshot"), input=json.dumps({"run_date": run_date.isoformat()})
        )
        return str(execution["executionArn"])

    def start_step(self, step: str, **parameters: object) -> str:
        """Start a state machine in ANSTEAD, as an engineer does from the console. Returns the execution's ARN."""
        execution = self.client("ANSTEAD", "stepfunctions").start_execution(
            stateMachineArn=names.machine_arn("ANSTEAD", step), input=json.dumps(parameters)
        )
        return str(execution["executionArn"])

    def __enter__(self) -> Self:
        self._reserve_directory()
        try:
            self._start()
            self._provision(
                self.client, self.endpoint_url, self.authority_file.read_text(), lambda: self.production_dsn
            )
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _reserve_directory(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._reservation = (self.directory / "lock").open("w")
        try:
            fcntl.flock(self._reservation, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._reservation.close()
            raise StackFailed(
                f"another local stack uses {self.directory}: wait for it, or give another directory"
            ) from None

    def _start(self) -> None:
        temporary = self.directory / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)  # a killed stack leaves its functions' folders behind
        for directory in (self.log_directory, temporary):
            directory.mkdir(parents=True, exist_ok=True)
        with (self.log_directory / "emulator.log").open("wb") as log:
            # A session of its own: Ctrl-C reaches this process only, which then stops the emulator in order. Its
            # standard input is the lifeline: when this process ends, for any reason, the emulator ends too.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.aws.emulator"], env=self._environment(temporary), cwd=temporary,
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._wait_until_healthy()

    def _environment(self, temporary: Path) -> dict[str, str]:
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PG", "LOCALSTACK_", "MINISTACK_"))
        }
        source = str(Path(__file__).resolve().parents[1])
        return inherited | {
            "PYTHONPATH": source, "TMPDIR": str(temporary), "HOME": str(temporary),
            "LOCAL_DIRECTORY": str(self.directory), "LOCAL_KUBERNETES_PORT": "0", "LOCAL_PODS": str(self._pods),
            "LOCAL_HEARTBEAT_SECONDS": str(self._heartbeat_seconds),
            "LOCAL_UNPACKED": str(BUILD / "cache" / "unpacked"),
            "GATEWAY_PORT": str(self._port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": names.REGION, "MINISTACK_ACCOUNT_ID": names.ANSTEAD, "LAMBDA_EXECUTOR": "local",
            "SFN_WAIT_SCALE": str(self._wait_scale), "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0",
            # A function connects to its database under the endpoint's name, which only exists here.
            "PGHOSTADDR": "127.0.0.1", "STATE_DIR": str(temporary / "state"), "S3_DATA_DIR": str(temporary / "s3"),
        }  # fmt: skip

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.endpoint_url}/_ministack/health", timeout=2):  # noqa: S310
                return
            time.sleep(0.05)
        raise StackFailed(f"the emulator did not start, see {self.log_directory / 'emulator.log'}")

    def stop(self) -> None:
        """Stop everything and delete the databases; does nothing the second time."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        # Whatever the emulator could not stop itself (it may have been killed) is in its process group.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        remove_directory(self.directory / names.DATABASE_FOLDER)
        self._reservation.close()
