"""Who may log in to a restored copy: the accrual's roles, and nobody who could log in to production."""

import contextlib
from collections.abc import Iterator

import psycopg2
import pytest

from local.aws.postgres import Server
from shared.database import logins
from shared.errors import ContractBroken


@pytest.fixture
def people(postgres: Server, platform_database) -> Iterator[list[str]]:
    """Logins of production: a clerk with a right of his own, one by PUBLIC's, and a deputy of workflow's."""
    own = platform_database.name
    postgres.execute("create role clerk login password 'test'", "create role visitor login password 'test'")
    postgres.execute(f"grant connect on database {own} to clerk with grant option", database=own)
    with platform_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("create role deputy login password 'test'; grant workflow to deputy")
        connection.commit()
    yield ["clerk", "visitor", "deputy"]
    for role in ("clerk", "visitor", "deputy"):
        postgres.execute(f"drop owned by {role} cascade", database=own)
        postgres.execute(f"drop role {role}")


def may_log_in(database, role: str) -> bool:
    try:
        psycopg2.connect(database.dsn_of(role)).close()
    except psycopg2.OperationalError as error:
        assert "permission denied for database" in str(error) or "is not permitted to log in" in str(error)  # noqa: PT017
        return False
    return True


def close(database) -> dict[str, list[str]]:
    with contextlib.closing(psycopg2.connect(database.dsn)) as connection, connection.cursor() as cursor:
        closed = logins.close(cursor)
        connection.commit()
    return closed


def test_only_the_accruals_roles_connect(platform_database, people):
    assert [role for role in people if may_log_in(platform_database, role)] == people
    for _ in range(2):
        closed = close(platform_database)
        assert platform_database.name in closed["databases"]
        assert [role for role in people if may_log_in(platform_database, role)] == []
        kept = ("core_admin", "workflow", "meterdata", "lambda")
        assert [role for role in kept if may_log_in(platform_database, role)] == list(kept)


def test_a_login_that_we_cannot_close_is_named(postgres, platform_database, people):
    postgres.execute("create role stranger login password 'test'", "grant core_admin to stranger")
    try:
        with pytest.raises(
            ContractBroken, match=r'stranger can still log in .*: grant "stranger" to core_admin with admin option'
        ):
            close(platform_database)
    finally:
        postgres.execute("drop role stranger")
