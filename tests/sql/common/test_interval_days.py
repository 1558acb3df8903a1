"""The copy of the interval reads is not in the write-ahead log. What is left of a run after a crash of PostgreSQL."""

import contextlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg2
import pytest

from local.performance.server import MASTER, SETTINGS, Sessions, database

RUN_DATE = date(2026, 11, 1)
TWO_DAYS = """
insert into core.site values ('S', 'ELECTRICITY', 'NSW', 'Z');
insert into core.meter values ('S', 'M');
insert into core.meter_register (site_id, meter_serial, register_id, suffix, stream_type, read_type, uom, start_date)
    values ('S', 'M', 'E1', 'E1', 'PRIMARY', 'INTERVAL', 'KWH', '2020-01-01');
insert into bua.utility_profile
    select %(run_date)s, site_id, meter_register_id, d, 3, array_fill(100, array[48]), repeat('A', 48), 0, 0, 4800000
    from core.meter_register, generate_series(timestamp '2026-10-30', '2026-10-31', '1 day') d;
insert into bua.utility_profile_log values (%(run_date)s, 'S', 2, 2);
"""


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """A server of its own, with two days of one site: others must not crash with it."""
    with database(tmp_path_factory.mktemp("crash") / "work", RUN_DATE) as found:
        with contextlib.closing(found.connect(MASTER)) as connection, connection.cursor() as cursor:
            cursor.execute(TWO_DAYS, {"run_date": RUN_DATE})
            connection.commit()
        yield found


def ask(sessions: Sessions, statement: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sessions.connect(MASTER)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, (RUN_DATE,))
        rows = list(cursor.fetchall()) if cursor.description else []
        connection.commit()
        return rows


def lost(sessions: Sessions) -> list[tuple[object, ...]]:
    return ask(sessions, "select cases, example from bua.broken_identities(%s) where identity ~ 'bua.utility_profile$'")


def test_of_the_runs_tables_only_the_copy_is_not_logged(sessions: Sessions) -> None:
    assert ask(
        sessions,
        "select relname from pg_class where relnamespace = 'bua'::regnamespace and relkind = 'r' and relpersistence <> 'p' order by 1",
    ) == [("utility_profile_2026_11_01",)]


def test_a_crash_empties_it_and_neither_the_next_steps_nor_the_control_totals_go_on(
    sessions: Sessions, tmp_path: Path
) -> None:
    count = "select written, found from bua.count_interval_days(%s)"
    require = "call bua.require_interval_days(%s)"
    assert ask(sessions, count) == [(2, 2)]
    assert lost(sessions) == []
    assert ask(sessions, require) == []

    sessions.server.execute("checkpoint")  # the local server commits before the log is on disk
    sessions.server.stop("immediate")
    sessions.server.start(settings=SETTINGS)

    assert ask(sessions, count) == [(2, 0)]
    assert lost(sessions) == [(1, "2 rows were written, there are 0")]
    with pytest.raises(psycopg2.errors.RaiseException, match="start the run of 2026-11-01 again from segments"):
        ask(sessions, require)
    for run_type in ("SegmentJurisdictionAvgExclEst", "MicroScalar", "NEM12"):
        with pytest.raises(psycopg2.errors.RaiseException, match="the copy of the interval reads is gone"):
            ask(sessions, f"select * from bua.plan_work_items(%s, '{run_type}', 'again', 100)")


def test_a_run_begun_again_makes_it_anew(sessions: Sessions) -> None:
    assert ask(sessions, "select count(*) from bua.plan_work_items(%s, 'UtilityProfile', 'again', 100)") == [(0,)]
    assert ask(sessions, "select written, found from bua.count_interval_days(%s)") == [(0, 0)]
    assert ask(sessions, "call bua.require_interval_days(%s)") == []


def test_days_that_are_lost_by_themselves_are_noticed(sessions: Sessions) -> None:
    with contextlib.closing(sessions.connect(MASTER)) as connection, connection.cursor() as cursor:
        cursor.execute(
            TWO_DAYS.partition("insert into bua.")[1] + TWO_DAYS.partition("insert into bua.")[2],
            {"run_date": RUN_DATE},
        )
        cursor.execute("delete from bua.utility_profile where profile_date = '2026-10-31'")
        cursor.execute(
            "select cases, example from bua.broken_identities(%s) where identity ~ 'bua.utility_profile$'", (RUN_DATE,)
        )
        assert cursor.fetchall() == [(1, "2 rows were written, there are 1")]
        connection.rollback()
