"""What a server has used, on a real PostgreSQL."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from local.aws.postgres import Server
from local.performance import counters as module
from local.performance.counters import Counters, NotMeasurable, Sampler

TICK = 0.01  # what Linux counts the time of ended processes in


def test_a_backend_that_has_ended_still_counts(postgres: Server):
    with closing(Counters(postgres)) as counters, closing(postgres.connect()) as connection:
        cursor = connection.cursor()
        before, _ = counters.server_seconds()
        cursor.execute("select count(*) from generate_series(1, 2000000)")
        used = counters.server_seconds()[0] - before
        backend = connection.info.backend_pid
        connection.close()
        while Path(f"/proc/{backend}").exists():
            time.sleep(0.01)
        after = counters.server_seconds()[0] - before
    assert used > TICK
    assert after >= used - 2 * TICK


def test_log_and_temporary_files_are_counted(postgres: Server):
    with closing(Counters(postgres)) as counters, closing(postgres.connect()) as connection:
        cursor = connection.cursor()
        before = counters.read()
        cursor.execute("set work_mem = '64kB'")
        cursor.execute("create temporary table kept as select g from generate_series(1, 10000) g")
        cursor.execute("create table logged as select g from generate_series(1, 10000) g")
        cursor.execute("select g from generate_series(1, 100000) g order by g desc")
        cursor.execute("drop table logged")
        cursor.execute("select pg_stat_force_next_flush()")
        used = counters.read() - before
    # 10,000 rows of at least 28 bytes went through the log once: the temporary table's did not
    assert 280_000 < used.wal_bytes < 2 * 1_000_000
    # 100,000 integers do not fit into 64 kB
    assert used.temp_files >= 1
    assert used.temp_bytes >= 400_000


def test_the_sampler_sees_the_memory_of_a_backend(postgres: Server):
    with closing(Counters(postgres)) as counters, closing(postgres.connect()) as connection:
        cursor = connection.cursor()
        with Sampler(counters.children) as sampler:
            cursor.execute("set work_mem = '256MB'")
            cursor.execute(
                "select count(*) from (select g from generate_series(1, 300000) g order by g desc offset 0) s, pg_sleep(1)"
            )
        assert sampler.peak.backend > 300_000 * 8
        assert sampler.peak.python > 1_000_000


def test_a_machine_without_proc_is_told_so(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PROC", tmp_path)
    with pytest.raises(NotMeasurable, match="no /proc"):
        Counters(postgres)
