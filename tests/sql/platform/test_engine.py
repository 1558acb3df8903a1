"""The platform's workflow engine on a real PostgreSQL, as the role that its service has."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import date
from pathlib import Path

import psycopg2
import pytest

from local.platform.engine import claim, execute, raise_instance, requeue_abandoned, work_once

SOURCE = Path(__file__).parents[3] / "src"
NAMES = ["LOAD_NEM12"]


def insert(database, name="LOAD_NEM12", payload=None, state="READY"):
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into core.workflow_instance (workflow_name, payload, run_date, state)"
            " values (%s, %s, '2026-11-01', %s) returning workflow_instance_id",
            (name, json.dumps(payload or {}), state),
        )
        (number,) = cursor.fetchone()
        connection.commit()
    return number


def states(database):
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select workflow_name, state, attempts from core.workflow_instance order by 1, workflow_instance_id"
        )
        return cursor.fetchall()


def exceptions(database):
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select workflow_instance_id, message from core.workflow_exception order by 1")
        return cursor.fetchall()


def do_nothing(connection, payload, instance):
    pass


@pytest.fixture
def connection(platform_database):
    with closing(psycopg2.connect(platform_database.dsn_of("meterdata"))) as connection:
        yield connection


def test_an_instance_is_executed_with_its_payload(platform_database, connection):
    number = insert(platform_database, payload={"keys": ["a.csv"]})
    seen = []
    assert work_once(connection, {"LOAD_NEM12": lambda _, payload, instance: seen.append((payload, instance))})
    ((payload, instance),) = seen
    assert payload == {"keys": ["a.csv"]}
    assert (instance.instance_id, instance.run_date, instance.attempts) == (number, date(2026, 11, 1), 1)
    assert states(platform_database) == [("LOAD_NEM12", "COMPLETE", 1)]
    assert not work_once(connection, {"LOAD_NEM12": do_nothing})


def test_other_services_instances_are_left_alone(platform_database, connection):
    insert(platform_database, "IMPORT_NEM12")
    insert(platform_database, state="FAILED")
    assert claim(connection, NAMES) is None


def test_urgent_workflows_come_first(platform_database, connection):
    insert(platform_database)
    urgent = insert(platform_database, "IMPORT_NEM12")
    with platform_database.connect() as owner, owner.cursor() as cursor:
        cursor.execute("update core.workflow set priority = 1 where workflow_name = 'IMPORT_NEM12'")
        owner.commit()
    assert claim(connection, ["LOAD_NEM12", "IMPORT_NEM12"]).instance_id == urgent


def test_work_and_completion_are_one_transaction(platform_database, connection):
    """What a handler wrote is gone when it fails, and the reason is kept."""
    number = insert(platform_database)

    def raise_then_fail(connection, payload, instance):
        raise_instance(connection, "IMPORT_NEM12", {}, instance.run_date)
        raise ValueError("a file is wrong")

    assert work_once(connection, {"LOAD_NEM12": raise_then_fail})
    assert states(platform_database) == [("LOAD_NEM12", "FAILED", 1)]
    assert exceptions(platform_database) == [(number, "ValueError: a file is wrong")]


def test_an_error_of_the_database_fails_the_instance_only(platform_database, connection):
    insert(platform_database)
    insert(platform_database)

    def divide(connection, payload, instance):
        with connection.cursor() as cursor:
            cursor.execute("select 1 / 0")

    assert work_once(connection, {"LOAD_NEM12": divide})
    assert work_once(connection, {"LOAD_NEM12": do_nothing})
    assert [state for _, state, _ in states(platform_database)] == ["FAILED", "COMPLETE"]


def test_two_workers_never_take_the_same_instance(platform_database, connection):
    first, second = insert(platform_database), insert(platform_database)
    with closing(psycopg2.connect(platform_database.dsn_of("meterdata"))) as other:
        assert {claim(connection, NAMES).instance_id, claim(other, NAMES).instance_id} == {first, second}
        assert claim(connection, NAMES) is None


def test_only_what_nobody_works_on_is_put_back(platform_database, connection):
    insert(platform_database)
    with closing(psycopg2.connect(platform_database.dsn_of("meterdata"))) as worker:
        claimed = claim(worker, NAMES)
        assert requeue_abandoned(connection, NAMES) == 0
        assert execute(worker, do_nothing, claimed)
        assert requeue_abandoned(connection, NAMES) == 0
        insert(platform_database)
        claim(worker, NAMES)
    # The worker is gone, and with it its lock, as soon as the server notices.
    deadline = time.monotonic() + 10
    while not requeue_abandoned(connection, NAMES):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert [state for _, state, _ in states(platform_database)] == ["COMPLETE", "READY"]
    assert claim(connection, NAMES).attempts == 2


SERVICE = """
from local.platform.engine import serve
import logging, time
logging.basicConfig(level=logging.INFO)
serve({"LOAD_NEM12": lambda connection, payload, instance: time.sleep(payload.get("seconds", 0))}, workers=2)
"""


def wait_for(database, expected):
    deadline = time.monotonic() + 20
    while states(database) != expected:
        assert time.monotonic() < deadline, states(database)
        time.sleep(0.05)


def test_a_process_serves_until_it_is_told_to_stop_and_finishes_what_it_has(platform_database):
    environment = os.environ | {
        "PYTHONPATH": str(SOURCE),
        "DATABASE_HOST": platform_database.host,
        "DATABASE_PORT": str(platform_database.port),
        "DATABASE_NAME": platform_database.name,
        "DATABASE_USER": "meterdata",
        "DATABASE_PASSWORD": "test",
    }
    for _ in range(3):
        insert(platform_database)
    process = subprocess.Popen([sys.executable, "-c", SERVICE], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(platform_database, [("LOAD_NEM12", "COMPLETE", 1)] * 3)
        insert(platform_database, payload={"seconds": 1})
        wait_for(platform_database, [("LOAD_NEM12", "COMPLETE", 1)] * 3 + [("LOAD_NEM12", "RUNNING", 1)])
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert states(platform_database) == [("LOAD_NEM12", "COMPLETE", 1)] * 4
    assert "stopped" in log
