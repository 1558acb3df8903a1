"""Connections: patience with a full server, verified certificates, what is kept and what is let go."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg2
import pytest

from local.aws.postgres import Server, private_directory
from local.aws.tls import Authority
from shared.database.connections import Database, with_patience
from shared.errors import DatabaseUnavailable, NoCurrentRun, StatementFailed
from shared.ledger import Current
from shared.settings import Settings

HOST = "tst-anstead-14-bua-sql.rds.example"
FULL = 'connection to server failed: FATAL:  too many connections for role "lambda"'


class TestPatience:
    def test_asks_again_while_the_server_is_full(self):
        answers, pauses = [FULL, FULL, "connection"], []

        def connect():
            answer = answers.pop(0)
            if answer == FULL:
                raise psycopg2.OperationalError(FULL)
            return answer

        assert with_patience(connect, pause=pauses.append) == "connection"
        assert len(pauses) == 2
        assert 0 <= pauses[0] <= 0.1
        assert 0 <= pauses[1] <= 0.2

    def test_does_not_wait_for_what_waiting_does_not_cure(self):
        pauses = []

        def connect():
            raise psycopg2.OperationalError("could not translate host name")

        with pytest.raises(psycopg2.OperationalError):
            with_patience(connect, pause=pauses.append)
        assert pauses == []

    def test_gives_up_in_the_end(self):
        pauses = []

        def connect():
            raise psycopg2.OperationalError(FULL)

        with pytest.raises(psycopg2.OperationalError):
            with_patience(connect, attempts=8, pause=pauses.append)
        assert len(pauses) == 7
        assert max(pauses) <= 5


@dataclass
class Secrets:
    """Secrets Manager, counting what is asked for."""

    values: dict[str, str]
    asked: list[str] = field(default_factory=list)

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        self.asked.append(SecretId)
        return {"SecretString": self.values[SecretId]}


@dataclass
class Book:
    """A ledger that knows an address, or none."""

    address: tuple[str, int] | None

    def current(self) -> Current:
        return Current() if self.address is None else Current(db_host=self.address[0], db_port=self.address[1])


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create()


@pytest.fixture(scope="module")
def server(tmp_path_factory, authority) -> Iterator[Server]:
    """A server that speaks TLS under an RDS endpoint's name and lets the role lambda have two connections."""
    directory = private_directory(tmp_path_factory.mktemp("tls"))
    server = Server.create(directory / "server")
    server.start(authority.issue(HOST))
    server.bootstrap("core_admin", "admin", "core")
    server.execute("create role lambda login password 'first' connection limit 2")
    yield server
    server.drop()
    directory.rmdir()


@pytest.fixture
def secrets(authority) -> Secrets:
    prefix = "tst-anstead-bua-db"
    return Secrets(
        {
            f"{prefix}-lambda": json.dumps({"username": "lambda", "password": "first"}),
            f"{prefix}-ca": authority.pem.decode(),
        }
    )


@pytest.fixture
def database(monkeypatch, settings: Settings, server: Server, secrets: Secrets) -> Iterator[Database]:
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    database = Database(settings, Book((HOST, server.port)), secrets, "lambda-bua-test")  # type: ignore[arg-type]
    yield database
    database._drop("lambda")


def ask(connection, query: str):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


class TestSession:
    def test_is_encrypted_named_and_limited_in_time(self, database):
        with database.session(remaining_seconds=70) as connection:
            assert ask(connection, "select ssl from pg_stat_ssl where pid = pg_backend_pid()") is True
            assert ask(connection, "show application_name") == "lambda-bua-test"
            assert ask(connection, "show statement_timeout") == "1min"

    def test_is_kept_for_the_next_invocation(self, database, secrets):
        with database.session(60) as connection:
            first = ask(connection, "select pg_backend_pid()")
        with database.session(60) as connection:
            assert ask(connection, "select pg_backend_pid()") == first
        assert secrets.asked == ["tst-anstead-bua-db-lambda", "tst-anstead-bua-db-ca"]

    def test_what_was_not_committed_is_gone(self, database):
        with database.session(60) as connection:
            ask(connection, "select set_config('bua.mark', 'set', true)")
        with database.session(60) as connection:
            assert ask(connection, "select current_setting('bua.mark', true)") in (None, "")

    def test_a_brief_one_is_closed(self, database):
        with database.brief_session(60) as connection:
            ask(connection, "select 1")
        assert connection.closed

    def test_a_dead_one_is_replaced(self, database, server):
        with database.session(60) as connection:
            pid = ask(connection, "select pg_backend_pid()")
        server.execute(f"select pg_terminate_backend({pid})")
        with database.session(60) as connection:
            assert ask(connection, "select pg_backend_pid()") != pid

    def test_a_new_password_is_fetched_when_the_old_one_fails(self, database, secrets, server):
        with database.brief_session(60):
            pass
        server.execute("alter role lambda password 'second'")
        secrets.values["tst-anstead-bua-db-lambda"] = json.dumps({"username": "lambda", "password": "second"})
        try:
            with database.session(60) as connection:
                assert ask(connection, "select 1") == 1
        finally:
            server.execute("alter role lambda password 'first'")

    def test_a_lost_connection_is_a_retriable_error(self, database):
        with pytest.raises(DatabaseUnavailable), database.session(60) as connection:
            ask(connection, "select pg_terminate_backend(pg_backend_pid())")

    def test_a_refused_statement_is_a_permanent_error(self, database):
        with pytest.raises(StatementFailed, match="UndefinedTable: relation"), database.session(60) as connection:
            ask(connection, "select 1 from nowhere")

    def test_no_database_is_said_clearly(self, settings, secrets):
        nothing = Database(settings, Book(None), secrets, "lambda-bua-test")  # type: ignore[arg-type]
        with pytest.raises(NoCurrentRun, match="start at the step `restore`"), nothing.session(60):
            pass

    def test_a_server_with_another_name_is_not_trusted(self, monkeypatch, settings, secrets, server):
        monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
        stranger = Database(settings, Book(("elsewhere.example", server.port)), secrets, "lambda-bua-test")  # type: ignore[arg-type]
        with pytest.raises(DatabaseUnavailable, match="elsewhere"), stranger.session(60):
            pass

    def test_the_last_run_s_database_is_left_when_the_ledger_names_another(self, database, server):
        with database.session(60) as connection:
            first = connection
        database._ledger.address = ("gone.example", server.port)
        with pytest.raises(DatabaseUnavailable), database.session(60):
            pass
        assert first.closed
