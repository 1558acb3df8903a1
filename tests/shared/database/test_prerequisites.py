"""The contract on a real server whose master role is as weak as RDS's may be: no superuser, and others own things."""

import contextlib
import re
from collections.abc import Iterator
from datetime import date

import psycopg2
import pytest
from psycopg2.extras import Json

from local.aws.postgres import Server
from shared.database import contract, migrate, prerequisites
from shared.errors import ContractBroken

RUN_DATE = date(2026, 11, 1)
WEAK = "weak_master"


@pytest.fixture
def weak(postgres: Server, platform_database) -> Iterator[psycopg2.extensions.connection]:
    """A connection as a master that may make roles, but did not make the platform's roles nor its tables."""
    postgres.execute(f"create role {WEAK} login createrole password 'test'")
    with contextlib.closing(psycopg2.connect(platform_database.dsn_of(WEAK))) as connection:
        yield connection
    postgres.execute(f"reassign owned by {WEAK} to core_admin; drop owned by {WEAK}", database=platform_database.name)
    postgres.execute(f"drop role {WEAK}")


def refused(connection, disk_gb=50):
    with connection.cursor() as cursor, pytest.raises(ContractBroken) as caught:
        contract.check(cursor, RUN_DATE, disk_gb)
    connection.rollback()
    return str(caught.value).split(": ", 1)[1].split("; ")


def test_everything_that_is_wrong_is_said_at_once_and_the_statements_given_mend_it(weak, postgres, platform_database):
    own = platform_database.name
    postgres.execute("create role stranger")
    postgres.execute(
        "alter table core.gas_volume owner to stranger", "revoke delete on core.invoice from lambda",
        "revoke usage on schema core from lambda", "create schema tools", "create extension pg_prewarm schema tools",
        f"alter database {own} set IntervalStyle = 'iso_8601'", f"alter role {WEAK} set TimeZone = 'Australia/Sydney'",
        database=own,
    )  # fmt: skip
    weak.close()
    with contextlib.closing(psycopg2.connect(platform_database.dsn_of(WEAK))) as connection:
        said = refused(connection)
        assert sorted(said) == sorted([
            f"{WEAK} may not change role workflow: grant workflow to {WEAK} with admin option",
            f"{WEAK} may not change role meterdata: grant meterdata to {WEAK} with admin option",
            f"{WEAK} may not change role lambda: grant lambda to {WEAK} with admin option",
            (f"{WEAK} has not the rights of core_admin, which owns sequences, tables of schema core (such as account):"
            f" grant core_admin to {WEAK}"),
            (f"{WEAK} has not the rights of stranger, which owns tables of schema core (such as gas_volume):"
            f" grant stranger to {WEAK}"),
            f"{WEAK} does not own database {own}: alter database {own} owner to {WEAK}",
            "extension pg_prewarm is in schema tools: alter extension pg_prewarm set schema public",
            "lambda may not delete core.invoice: grant delete on core.invoice to lambda",
            "lambda may not use schema core: grant usage on schema core to lambda",
            f'IntervalStyle is iso_8601, not postgres: alter database "{own}" reset IntervalStyle',
            f'TimeZone is Australia/Sydney, not UTC: alter role "{WEAK}" reset TimeZone',
        ])  # fmt: skip
        # Before, each would have failed a later action of restore, one after the other.
        for statement in ("alter role lambda password 'x'", "truncate core.event_log", "create schema bua"):
            with connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)
            connection.rollback()
    for problem in said:
        postgres.execute(problem.rsplit(": ", 1)[1], database=own)
    try:
        with contextlib.closing(psycopg2.connect(platform_database.dsn_of(WEAK))) as connection:
            everything_that_restore_does(connection)
    finally:
        postgres.execute("reassign owned by stranger to core_admin; drop owned by stranger", database=own)
        postgres.execute("drop role stranger")


def everything_that_restore_does(connection):
    with connection.cursor() as cursor:
        contract.check(cursor, RUN_DATE, 50)
        connection.commit()
        migrate.run(connection)
        cursor.execute("call bua.prepare_run(%s)", (RUN_DATE,))
        cursor.execute("update core.workflow_schedule set is_enabled = false where is_enabled")
        cursor.execute("truncate core.workflow_exception, core.workflow_instance, core.event_log restart identity")
        for role in prerequisites.SERVICE_ROLES:
            cursor.execute(f"alter role {role} login password 'test'")
        cursor.execute("call bua.calculate_statistics('core.aggregated_read')")
        cursor.execute(
            "call bua.core_warm_index(%s)", (Json({"relation": "core.plan_pkey", "first_block": 0, "last_block": 0}),)
        )
        cursor.execute("call bua.core_warm_table(%s)", (Json({"relation": "core.gas_volume", "analyze": True}),))
        connection.commit()


def test_a_role_that_is_missing_and_a_master_that_makes_none(postgres, weak):
    postgres.execute(f"alter role {WEAK} nocreaterole")
    with weak.cursor() as cursor:
        found = prerequisites.problems(cursor, ())
        assert f"{WEAK} may not make or change roles: alter role {WEAK} createrole" in found
        cursor.execute(prerequisites._ROLES, {"roles": ["nobody_at_all"]})
        assert ("role nobody_at_all is missing: create role nobody_at_all login",) in cursor.fetchall()


def test_a_disk_too_small_for_the_run_is_refused_with_the_size_that_it_needs(platform_database):
    """A row of utility_profile takes 414 bytes: 50,000 registers, 541 days, half as much again for the rest."""
    with platform_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("insert into core.site values ('S', 'ELECTRICITY', 'NSW', 'N')")
        cursor.execute("insert into core.meter values ('S', 'M')")
        cursor.execute(
            "insert into core.meter_register (site_id, meter_serial, register_id, suffix, stream_type, read_type, uom, start_date, end_date)"
            " select 'S', 'M', n, 'E1', 'PRIMARY', 'INTERVAL', 'KWH', '2020-01-01', case when n > 50000 then date '2025-05-08' end"
            " from generate_series(1, 50100) n"
        )
        # 50,000 x 541 x 414 x 1.5 = 16.80e9 bytes = 15.6 GiB; the database itself is far below one.
        contract.check(cursor, RUN_DATE, 37)
        with pytest.raises(
            ContractBroken, match=re.escape("50000 interval registers adds about 16: set allocated_storage_gb = 36")
        ):
            contract.check(cursor, RUN_DATE, 35)


def test_another_major_version_is_named_with_the_rest(platform_database, monkeypatch):
    monkeypatch.setattr(contract, "SERVER_MAJOR_VERSION", 16)
    with platform_database.connect() as connection:
        assert refused(connection) == ["the server is PostgreSQL 17, not 16 like production"]
