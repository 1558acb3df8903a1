"""Connections to the run's database: TLS with the server verified, passwords from Secrets Manager.

A function keeps its connection between warm invocations, except site-data (800 of them), which connects only briefly
and closes at once: docs/decisions/0001-database-connections.md has the arithmetic.
"""

import hashlib
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any, TypeVar

import psycopg2
import psycopg2.extensions

from shared.errors import DatabaseUnavailable, StatementFailed
from shared.ledger import Ledger
from shared.settings import Settings

Connection = psycopg2.extensions.connection
Cursor = psycopg2.extensions.cursor

T = TypeVar("T")

ADMIN = "core_admin"
LAMBDA = "lambda"

CONNECT_SECONDS = 10
# A query is cancelled this long before the function is: the function can still roll back, log and report.
MARGIN_SECONDS = 10
# SQLSTATE 53300 has no code at connect time (libpq reports the text only).
_FULL = ("too many connections", "too many clients", "remaining connection slots")
_PASSWORD_WRONG = ("password authentication failed",)


class Database:
    """Opens connections to the current run's database, as one of its roles."""

    def __init__(self, settings: Settings, ledger: Ledger, secrets: Any, application: str) -> None:
        self._settings = settings
        self._ledger = ledger
        self._secrets = secrets
        self._application = application
        self._passwords: dict[str, str] = {}
        self._authority: Path | None = None
        self._kept: dict[str, tuple[tuple[str, int], Connection]] = {}

    @contextmanager
    def session(self, remaining_seconds: float, role: str = LAMBDA) -> Iterator[Connection]:
        """A connection that is kept for the next invocation. The caller commits; an open transaction is rolled back.

        The address is read from the ledger every time: a warm function must never write into the previous run's
        database. Raises NoCurrentRun, DatabaseUnavailable when no connection is free or it breaks, and
        StatementFailed when a statement of the caller fails.
        """
        address = self._ledger.current().database_address()
        connection = self._kept_connection(role, address) or self.connect(role, address)
        self._kept[role] = (address, connection)
        try:
            _limit_statements(connection, remaining_seconds)
            yield connection
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            self._drop(role)
            raise DatabaseUnavailable(
                f"the database ended a statement or the connection: {_first_line(error)}"
            ) from error
        except psycopg2.Error as error:
            notes = "".join(f" ({note})" for note in getattr(error, "__notes__", []))  # the migration runner's
            raise StatementFailed(f"{type(error).__name__}: {_first_line(error)}{notes}") from error
        finally:
            if not connection.closed:
                connection.rollback()

    @contextmanager
    def brief_session(self, remaining_seconds: float, role: str = LAMBDA) -> Iterator[Connection]:
        """A connection that is closed at once after use."""
        with self.session(remaining_seconds, role) as connection:
            try:
                yield connection
            finally:
                self._drop(role)

    def connect(self, role: str, address: tuple[str, int]) -> Connection:
        """Open a connection; wait with jitter while the server or the role has none free."""
        try:
            return self._patient_connect(role, address)
        except psycopg2.OperationalError as error:
            if any(text in str(error) for text in _PASSWORD_WRONG) and self._passwords.pop(role, ""):
                # Restore has set a new password since this function was warm.
                return self._patient_connect(role, address)
            raise DatabaseUnavailable(f"{address[0]} as {role}: {_first_line(error)}") from error

    def _patient_connect(self, role: str, address: tuple[str, int]) -> Connection:
        return with_patience(lambda: self._connect_once(role, address))

    def _connect_once(self, role: str, address: tuple[str, int]) -> Connection:
        host, port = address
        return psycopg2.connect(
            host=host,
            port=port,
            dbname=self._settings.database_name,
            user=role,
            password=self._password(role),
            sslmode="verify-full",
            sslrootcert=str(self._authority_file()),
            connect_timeout=CONNECT_SECONDS,
            application_name=self._application,
        )

    def _kept_connection(self, role: str, address: tuple[str, int]) -> Connection | None:
        kept = self._kept.get(role)
        if kept is None or kept[1].closed:
            return None
        if kept[0] != address or not _is_alive(kept[1]):
            self._drop(role)
            return None
        return kept[1]

    def _drop(self, role: str) -> None:
        kept = self._kept.pop(role, None)
        if kept is not None:
            kept[1].close()

    def _password(self, role: str) -> str:
        if role not in self._passwords:
            secret = self._secrets.get_secret_value(SecretId=self._settings.database_secret(role))
            self._passwords[role] = json.loads(secret["SecretString"])["password"]
        return self._passwords[role]

    def _authority_file(self) -> Path:
        if self._authority is None:
            secret = self._secrets.get_secret_value(SecretId=self._settings.database_secret("ca"))
            self._authority = _write_once(secret["SecretString"])
        return self._authority


def with_patience(connect: Callable[[], T], attempts: int = 8, pause: Callable[[float], None] = time.sleep) -> T:
    """Call until a connection is free: retries a full server after 0.1 s, doubling to 5 s, with full jitter."""
    for attempt in range(attempts - 1):
        try:
            return connect()
        except psycopg2.OperationalError as error:
            if not any(text in str(error) for text in _FULL):
                raise
        pause(random.uniform(0, min(5.0, 0.1 * 2**attempt)))  # noqa: S311 - spreading load, not a secret
    return connect()


def _write_once(pem: str) -> Path:
    """Write a certificate under the name of its content; whole or not at all, since other processes may read it."""
    path = Path(gettempdir()) / f"bua-authority-{hashlib.sha256(pem.encode()).hexdigest()[:16]}.pem"
    if not path.exists():
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(pem, encoding="ascii")
        part.replace(path)
    return path


def _is_alive(connection: Connection) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        connection.rollback()
    except psycopg2.Error:
        return False
    return True


def _limit_statements(connection: Connection, remaining_seconds: float) -> None:
    milliseconds = int(max(1.0, remaining_seconds - MARGIN_SECONDS) * 1000)
    with connection.cursor() as cursor:
        cursor.execute("set statement_timeout = %s", (milliseconds,))
    connection.commit()


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0]
