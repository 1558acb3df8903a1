"""Workers and the clock are killed while they work: the month goes on by itself and writes the same rows.

A lock on a table keeps functions under way until they are killed; their processes are those of Lambda's sandboxes.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psutil
import psycopg2
import pytest
from tests.pipeline.conftest import RUN_DATE, Month, failure
from tests.pipeline.test_failures import take_snapshot

from local.aws import names

KILLS = 12


@pytest.fixture(scope="module")
def restored(month: Month) -> Month:
    """A month up to its segments, with its database."""
    execution = month.run_step("bua", run_date=str(RUN_DATE), snapshot_arn=take_snapshot(month), stop_after="segments")
    assert execution["status"] == "SUCCEEDED", failure(execution)
    return month


def processes(month: Month, function: str) -> list[psutil.Process]:
    """The sandboxes of a function."""
    emulator, name = psutil.Process(month.stack.process_id), names.function_name(function)
    found = []
    for process in emulator.children(recursive=True):
        try:
            if process.environ().get("AWS_LAMBDA_FUNCTION_NAME") == name:
                found.append(process)
        except psutil.Error:  # it has just ended
            continue
    return found


def rows(month: Month, query: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(month.stack.run_dsn())) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


@contextmanager
def locked(month: Month, table: str) -> Iterator[None]:
    """Whoever needs the table waits for the end of the block."""
    with closing(psycopg2.connect(month.stack.run_dsn())) as connection, connection.cursor() as cursor:
        cursor.execute(f"lock table {table} in access exclusive mode")
        yield


_WAITING = "wait_event_type = 'Lock' and application_name = '{}'"


def waiting(month: Month, function: str) -> int:
    """How many sessions of a function wait for a lock: it is under way."""
    condition = _WAITING.format(names.function_name(function))
    return int(str(rows(month, f"select count(*) from pg_stat_activity where {condition}")[0][0]))


def kill_while_locked(month: Month, function: str, kills: int) -> int:
    """Kill so many of a function's sandboxes, or the last ones of this fan-out, each while it waits for a lock; returns how many."""
    killed = 0
    deadline = time.monotonic() + 180
    while killed < kills and time.monotonic() < deadline:
        found = processes(month, function) if waiting(month, function) else []
        for process in found:
            process.kill()
        if found:
            killed += len(found)
            deadline = time.monotonic() + 15  # for those that take the next messages
        time.sleep(0.2)
    # PostgreSQL has not noticed yet: what waits for a lock does not look at its client.
    rows(
        month,
        f"select pg_terminate_backend(pid) from pg_stat_activity where {_WAITING.format(names.function_name(function))}",
    )
    return killed


SCALARS = "select s::text from bua.micro_scalar s order by 1"
RESENT = "select count(*) from bua.fan_out_batch where run_type = 'MicroScalar' and sends > 1"
OUTCOMES = "select state, count(*) from bua.bua_control where run_type = 'MicroScalar' group by 1 order by 1"


def test_killed_workers_are_replaced_by_the_clock_and_the_rows_are_the_same(restored: Month) -> None:
    clean = restored.run_step("microscalar")
    assert clean["status"] == "SUCCEEDED", failure(clean)
    expected, outcomes = rows(restored, SCALARS), rows(restored, OUTCOMES)
    execution = restored.stack.start_step("microscalar")
    with locked(restored, "core.meter_read"):
        assert kill_while_locked(restored, "site-mscalar", KILLS) >= 2
    ended = restored.wait(execution)
    assert ended["status"] == "SUCCEEDED", failure(ended)
    # Sent again by the clock: SQS itself would have kept the messages for six times the function's time-out.
    assert rows(restored, RESENT) != [(0,)]
    assert rows(restored, SCALARS) == expected
    assert rows(restored, OUTCOMES) == outcomes


def test_a_killed_clock_ticks_again(restored: Month) -> None:
    expected = rows(restored, SCALARS)
    with locked(restored, "core.meter_read"):
        execution = restored.stack.start_step("microscalar")
        # Whoever waits for the reads has read the fan-out's row: without them nobody but the clock is kept from it.
        assert kill_while_locked(restored, "site-mscalar", KILLS) >= 1
        with locked(restored, "bua.fan_out"):
            assert kill_while_locked(restored, "next", 1) == 1
    ended = restored.wait(execution)
    assert ended["status"] == "SUCCEEDED", failure(ended)
    assert rows(restored, SCALARS) == expected
