"""A throw-away database with both schemas and a prepared run, and the sessions that the steps open on it."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg2

from local.aws.postgres import Server, private_directory, remove_directory
from shared.database import migrate
from shared.database.connections import LAMBDA, Connection
from shared.paths import ROOT

MASTER = "core_admin"
PASSWORD = "rehearsal"  # noqa: S105 - of a database of synthetic rows that listens on 127.0.0.1 and is dropped at the end
NAME = "core"
ROLES = ("workflow", "meterdata", "lambda")

# Those of the local stack, with more memory, and what the run's parameter group says that plans depend on. Autovacuum is off:
# plans rest on what the run itself analyses, and its workers' time is not taken for a run type's.
SETTINGS: Mapping[str, str | int] = {
    "shared_buffers": "1GB", "max_wal_size": "8GB", "maintenance_work_mem": "256MB", "autovacuum": "off",
    "work_mem": "64MB", "random_page_cost": "1.1", "track_io_timing": "on",
}  # fmt: skip


@dataclass
class Sessions:
    """Sessions on the database: what shared.database.connections.Database gives, without ledger, TLS and secrets."""

    server: Server
    name: str = NAME  # of the database

    def __post_init__(self) -> None:
        """No connection is kept yet."""
        self._kept: dict[str, Connection] = {}

    def connect(self, role: str) -> Connection:
        """A new connection as a role."""
        return psycopg2.connect(
            host="127.0.0.1",
            port=self.server.port,
            dbname=self.name,
            user=role,
            password=PASSWORD,
            application_name=role,
        )

    @contextlib.contextmanager
    def session(self, remaining_seconds: float, role: str = LAMBDA) -> Iterator[Connection]:
        """A connection that is kept for the next message, as a warm function keeps it."""
        del remaining_seconds
        connection = self._kept.get(role) or self.connect(role)
        self._kept[role] = connection
        try:
            yield connection
        finally:
            connection.rollback()

    @contextlib.contextmanager
    def brief_session(self, remaining_seconds: float, role: str = LAMBDA) -> Iterator[Connection]:
        """A connection that is closed at once after use."""
        del remaining_seconds
        with contextlib.closing(self.connect(role)) as connection:
            yield connection

    def flush(self) -> None:
        """Have the kept connections report their statistics now; they would when they are idle for a second."""
        for connection in self._kept.values():
            with connection.cursor() as cursor:
                cursor.execute("select pg_stat_force_next_flush()")
            connection.commit()

    def close(self) -> None:
        """Close what is kept, so that all its statistics are reported."""
        for connection in self._kept.values():
            connection.close()
        self._kept.clear()


@contextlib.contextmanager
def database(work: Path, run_date: date) -> Iterator[Sessions]:
    """Start a server below `work`, install both schemas, prepare the run; everything is removed at the end."""
    with installed(work) as sessions:
        with contextlib.closing(sessions.connect(MASTER)) as connection, connection.cursor() as cursor:
            cursor.execute("call bua.prepare_run(%s)", (run_date,))
            connection.commit()
        yield sessions


@contextlib.contextmanager
def installed(work: Path) -> Iterator[Sessions]:
    """Start a server below `work` and install both schemas; everything is removed at the end."""
    server = Server.create(private_directory(work) / "server")
    try:
        server.start(settings=SETTINGS)
        server.bootstrap(MASTER, PASSWORD, NAME)
        sessions = Sessions(server)
        _install(sessions)
        yield sessions
        sessions.close()
    finally:
        server.drop()
        remove_directory(work)


def _install(sessions: Sessions) -> None:
    with contextlib.closing(sessions.connect(MASTER)) as connection, connection.cursor() as cursor:
        for path in sorted((ROOT / "sql" / "platform").glob("*.sql")):
            cursor.execute(path.read_text(encoding="utf-8"))
        connection.commit()
        migrate.run(connection, ROOT / "sql")
        connection.commit()
    for role in ROLES:
        sessions.server.set_password(role, PASSWORD)
