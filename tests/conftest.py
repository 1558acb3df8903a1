"""PostgreSQL for the tests: one throw-away server per test process, templates built once, a database per test."""

import contextlib
import fcntl
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest
from hypothesis import HealthCheck, settings
from pytest_postgresql import factories
from pytest_postgresql.executors import NoopExecutor
from pytest_postgresql.janitor import DatabaseJanitor

from artifacts import zips
from local.aws.postgres import Server, private_directory, remove_directory
from shared.database import migrate

pytest_plugins = ["tests.cloud", "tests.parallel"]

ROOT = Path(__file__).resolve().parents[1]
PLATFORM_SQL = sorted((ROOT / "sql" / "platform").glob("*.sql"))
RUN_DATE = date(2026, 11, 1)
MASTER = "core_admin"
PASSWORD = "test"

# The models of boto3 and moto stay to the end: looking through them for garbage took a fifth of the time of moto's tests.
gc.set_threshold(50_000, 20, 20)

# How fast an example is depends on what else the machine does.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def host_zips() -> dict[str, Path]:
    """The functions' zips for the Python that runs this, by function; one test process at a time builds them."""
    zips.BUILD.mkdir(exist_ok=True)
    with (zips.BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return zips.build(zips.host_target())


@dataclass(frozen=True)
class Database:
    """A database of a test's own. Every login role has the same password."""

    host: str
    port: int
    name: str

    @property
    def dsn(self) -> str:
        """libpq connection string as core_admin."""
        return self.dsn_of(MASTER)

    def dsn_of(self, role: str) -> str:
        """libpq connection string of a role."""
        return psycopg2.extensions.make_dsn(
            host=self.host, port=self.port, dbname=self.name, user=role, password=PASSWORD
        )

    @contextlib.contextmanager
    def connect(self, role: str = MASTER) -> Iterator[psycopg2.extensions.connection]:
        """A connection as a role, in transactions; closed at the end, what was not committed is gone."""
        with contextlib.closing(psycopg2.connect(self.dsn_of(role))) as connection:
            yield connection


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The running server; its superuser is nobody's but the fixtures'."""
    place = tmp_path_factory.mktemp("postgres")
    server = Server.create(private_directory(place) / "server")
    # Autovacuum's workers are the superuser's: a test's database could not be dropped while one is in it.
    server.start(settings={"autovacuum": "off"})
    yield server
    server.drop()
    remove_directory(place)


@pytest.fixture(scope="session")
def postgres_server(postgres: Server) -> NoopExecutor:
    """The server as pytest-postgresql knows it: as the master role, with an empty template."""
    executor = NoopExecutor(
        host="127.0.0.1", port=postgres.port, user=MASTER, password=PASSWORD, options="", dbname="empty"
    )
    postgres.bootstrap(MASTER, PASSWORD, executor.template_dbname)
    postgres.execute(f"alter database {executor.template_dbname} is_template true")
    return executor


def _set_passwords(**connection: Any) -> None:
    """Let the tests log in as the roles that sql/platform creates."""
    connection.pop("autocommit")
    with contextlib.closing(psycopg2.connect(**connection)) as database, database.cursor() as cursor:
        cursor.execute("select rolname from pg_roles where rolcanlogin and not rolsuper and rolname <> current_user")
        for (role,) in cursor.fetchall():
            cursor.execute(f"alter role {role} password '{PASSWORD}'")
        database.commit()


def _migrate(**connection: Any) -> None:
    """Install schema bua, as the migration runner does after restore."""
    connection.pop("autocommit")
    with contextlib.closing(psycopg2.connect(**connection)) as database:
        migrate.run(database, ROOT / "sql")


def _prepare(**connection: Any) -> None:
    """Begin the run of RUN_DATE."""
    connection.pop("autocommit")
    with contextlib.closing(psycopg2.connect(**connection)) as database, database.cursor() as cursor:
        cursor.execute("call bua.prepare_run(%s)", (RUN_DATE,))
        database.commit()


platform_template = factories.postgresql_noproc(
    dbname="platform", depends_on="postgres_server", load=[*PLATFORM_SQL, _set_passwords]
)
bua_template = factories.postgresql_noproc(dbname="bua", depends_on="platform_template", load=[_migrate])
run_template = factories.postgresql_noproc(dbname="run", depends_on="bua_template", load=[_prepare])


def _fresh(executor: NoopExecutor) -> Iterator[Database]:
    janitor = DatabaseJanitor(
        user=executor.user, password=executor.password, host=executor.host, port=executor.port,
        dbname=f"{executor.dbname}_test", template_dbname=executor.template_dbname,
    )  # fmt: skip
    with janitor:
        yield Database(executor.host, executor.port, janitor.dbname)


@pytest.fixture
def empty_database(postgres_server: NoopExecutor) -> Iterator[Database]:
    """A database without a schema, of core_admin's."""
    yield from _fresh(postgres_server)


@pytest.fixture
def platform_database(platform_template: NoopExecutor) -> Iterator[Database]:
    """A database with the platform's schema `core`, without data but the reference rows."""
    yield from _fresh(platform_template)


@pytest.fixture
def bua_database(bua_template: NoopExecutor) -> Iterator[Database]:
    """A database with the platform's schema and, installed by the migration runner, ours."""
    yield from _fresh(bua_template)


@pytest.fixture
def run_database(run_template: NoopExecutor) -> Iterator[Database]:
    """A database in which the run of RUN_DATE is prepared: its partitions and its calendar are there."""
    yield from _fresh(run_template)
