"""What PostgreSQL and this process use: processor time, memory, blocks, temporary files, write-ahead log."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self

from local.aws.postgres import Server

PROC = Path("/proc")
WRITERS = ("checkpointer", "background writer", "walwriter", "io worker", "autovacuum launcher", "logical replication")
SAMPLE_SECONDS = 0.1

_IO = """
    select (select sum(blks_read) from pg_stat_database), (select sum(temp_files) from pg_stat_database),
           (select sum(temp_bytes) from pg_stat_database), (select sum((coalesce(writes, 0) + coalesce(extends, 0)) * op_bytes) from pg_stat_io),
           pg_current_wal_insert_lsn() - '0/0'::pg_lsn
"""


class NotMeasurable(Exception):  # noqa: N818
    """This machine has no /proc: the processor time of PostgreSQL's processes cannot be read."""


@dataclass(frozen=True)
class Usage:
    """Processor seconds, 8 kB blocks read into shared buffers, and bytes; differences of two readings."""

    backend_seconds: float = 0.0
    writer_seconds: float = 0.0
    python_seconds: float = 0.0
    wall_seconds: float = 0.0
    blocks_read: float = 0.0
    temp_files: float = 0.0
    temp_bytes: float = 0.0
    written_bytes: float = 0.0
    wal_bytes: float = 0.0

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass
class Peak:
    """The most memory that one backend, and this process, had of its own, in bytes; shared buffers left out."""

    backend: int = 0
    python: int = 0


class Counters:
    """Reads the counters of one server and of the thread that asks."""

    def __init__(self, server: Server) -> None:
        if not (PROC / "self" / "schedstat").exists():
            raise NotMeasurable(NotMeasurable.__doc__)
        self._server = server
        self._postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
        self._connection = server.connect()

    def read(self, not_ours: float = 0.0) -> Usage:
        """The counters now. not_ours: seconds of this thread that are not the functions'."""
        with self._connection.cursor() as cursor:
            cursor.execute("select pg_stat_force_next_flush()")
            cursor.execute(_IO)
            ((blocks, files, temporary, written, wal),) = cursor.fetchall()
        backends, writers = self.server_seconds()
        return Usage(
            backends, writers, time.thread_time() - not_ours, time.monotonic(),
            float(blocks or 0), float(files or 0), float(temporary or 0), float(written or 0), float(wal),
        )  # fmt: skip

    def server_seconds(self) -> tuple[float, float]:
        """Processor seconds of all backends that are or were, and of the processes that write."""
        while True:
            ended = self._ended()
            backends, writers = ended, 0.0
            for pid in self.children():
                with suppress(OSError):
                    seconds = int((PROC / str(pid) / "schedstat").read_text().split()[0]) / 1e9
                    title = (PROC / str(pid) / "cmdline").read_text()
                    if any(name in title for name in WRITERS):
                        writers += seconds
                    else:
                        backends += seconds
            # A backend that ended meanwhile is in neither sum, or in both.
            if self._ended() == ended:
                return backends, writers

    def _ended(self) -> float:
        """Seconds of the postmaster and of its children that have ended."""
        fields = (PROC / str(self._postmaster) / "stat").read_text().rpartition(")")[2].split()
        # utime, stime and those of children, in hundredths of a second (proc(5), fields 14 to 17)
        return sum(map(int, fields[11:15])) / 100

    def children(self) -> list[int]:
        """The server's processes."""
        return [int(p) for p in (PROC / f"{self._postmaster}/task/{self._postmaster}/children").read_text().split()]

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


class Sampler:
    """Looks at the memory of the server's processes and of this one, ten times a second, while it is entered."""

    def __init__(self, children: Callable[[], list[int]]) -> None:
        self._children = children
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.peak = Peak()

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.peak.python = max(self.peak.python, _own_memory("self"))
            with suppress(OSError):
                self.peak.backend = max([self.peak.backend, *map(_own_memory, map(str, self._children()))])


def _own_memory(pid: str) -> int:
    with suppress(OSError):
        for line in (PROC / pid / "status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0
