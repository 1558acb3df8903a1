"""`make kills`: kill workers while they work, all through a run, and see that it ends by itself, with the same bytes, soon.

A demo portfolio is accrued twice on one local stack: left alone, and with KILLS= workers killed as `kill -9` does.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from rich.console import Console
from rich.table import Table

from artifacts import zips
from local import outputs
from local.aws import names
from local.demo import write_demo
from local.performance.rehearsal import RUN_DATE
from local.portfolio.check import console_of, exit_status
from local.portfolio.format import read_portfolio
from local.portfolio.production import load_production
from local.stack import LocalStack
from local.watch import follow
from shared import catalogue
from shared.errors import PermanentError
from shared.ledger import Ledger

MOST_SECONDS = 120  # that a fan-out may take longer, however many of its workers were killed
# The kills of a fan-out fall into its first wave: a batch that is killed four times is recorded as FAIL, rightly.
WAVE_SECONDS = 30
POLL_SECONDS = 0.02

# Who is at work right now, and through which port of the database: that finds the sandbox.
_AT_WORK = """
    select application_name, client_port from pg_stat_activity
    where application_name = any (%s) and state <> 'idle' and client_port > 0
"""
_FAN_OUT = """
    select f.run_type from bua.fan_out f
    where f.run_date = %s and exists (select from bua.bua_control c where (c.run_date, c.run_type, c.state) = (f.run_date, f.run_type, 'PENDING'))
    order by 1 limit 1
"""


class NotAsPromised(PermanentError):  # noqa: N818
    """The run with the kills failed, wrote other bytes, or took too long; the message says which."""


@dataclass(frozen=True)
class Kill:
    """A worker that was killed, and in which fan-out."""

    run_type: str
    function: str


class Killer(threading.Thread):
    """Kills so many workers of the current run, in every fan-out a share, until it is told to stop."""

    def __init__(self, stack: LocalStack, kills: int, each: int) -> None:
        super().__init__(daemon=True)
        self.kills: list[Kill] = []
        self.most = kills
        self._stack, self._each = stack, each
        self._begun: dict[str, float] = {}
        self._over = threading.Event()
        self._workers = [names.function_name(key) for key, found in catalogue.load().functions.items() if found.queue]

    def stop(self) -> None:
        """End the killing."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look for workers, again and again: the database comes, and goes, during the run."""
        while not self._over.is_set():
            with (
                suppress(psycopg2.Error, PermanentError),
                closing(psycopg2.connect(run_database(self._stack))) as connection,
            ):
                connection.autocommit = True
                with connection.cursor() as cursor:
                    self._look(cursor)
            self._over.wait(1)

    def _look(self, cursor: Any) -> None:
        while not self._over.wait(POLL_SECONDS) and len(self.kills) < self.most:
            cursor.execute(_AT_WORK, (self._workers,))
            at_work = {port: name for name, port in cursor.fetchall()}
            cursor.execute(_FAN_OUT, (RUN_DATE,))
            for (run_type,) in cursor.fetchall() if at_work else ():
                self._kill(run_type, at_work)

    def _kill(self, run_type: str, at_work: dict[int, str]) -> None:
        begun = self._begun.setdefault(run_type, time.monotonic())
        for port, process in self._sandboxes():
            done = sum(kill.run_type == run_type for kill in self.kills)
            if port not in at_work or done >= self._each or len(self.kills) >= self.most:
                continue
            if time.monotonic() - begun < WAVE_SECONDS:
                process.kill()
                self.kills.append(Kill(run_type, at_work[port]))

    def _sandboxes(self) -> list[tuple[int, psutil.Process]]:
        found = []
        for process in psutil.Process(self._stack.process_id).children(recursive=True):
            with suppress(psutil.Error):  # it has just ended
                found += [(c.laddr.port, process) for c in process.net_connections("tcp") if c.raddr]
        return found


def run_database(stack: LocalStack) -> str:
    """The dsn of the current run's database, as its master role; raises NoCurrentRun."""
    current = Ledger(stack.client("ANSTEAD", "dynamodb"), names.CONTROL_TABLE).current()
    current.database_address()
    return stack.dsn("ANSTEAD", f"{names.PREFIX}-{current.update_id}-bua-sql", f"{names.SECRET_PREFIX}-{names.MASTER}")


def step_seconds(stack: LocalStack) -> dict[str, float]:
    """How long each step of the last run took."""
    ledger = Ledger(stack.client("ANSTEAD", "dynamodb"), names.CONTROL_TABLE)
    records = {step: ledger.step(step, RUN_DATE) for step in catalogue.load().pipeline()}
    moments = {
        step: [datetime.fromisoformat(record[key]) for key in ("started_at", "finished_at")]
        for step, record in records.items()
        if record.get("finished_at")
    }
    return {step: (ended - begun).total_seconds() for step, (begun, ended) in moments.items()}


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its relative path."""
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def compare(work: Path, accounts: int, kills: int, each: int, console: Console) -> None:
    """Run the month twice and print what the kills cost; raises NotAsPromised."""
    write_demo(work / "demo", accounts=accounts, seed=1, run_date=RUN_DATE)
    zips.build(zips.host_target())
    with LocalStack(work / "stack") as stack:
        load_production(stack, read_portfolio(work / "demo", RUN_DATE))
        console.print("left alone:")
        follow(stack, RUN_DATE, console)
        outputs.collect(stack.client("ANSTEAD", "s3"), RUN_DATE, work / "alone")
        alone = step_seconds(stack)
        console.print(f"again, with {kills} workers killed ...")
        killer = Killer(stack, kills, each)
        killer.start()
        try:
            ended = _run(stack)
        finally:
            killer.stop()
        outputs.collect(stack.client("ANSTEAD", "s3"), RUN_DATE, work / "killed")
        console.print(_table(alone, step_seconds(stack), killer.kills))
        _check(ended, killer, alone, step_seconds(stack))
    if content(work / "alone") != content(work / "killed"):
        raise NotAsPromised("the run with the kills wrote other bytes")
    console.print("The same bytes.")


def _run(stack: LocalStack) -> dict[str, Any]:
    execution = stack.start_step("bua", run_date=str(RUN_DATE), stop_after="export")
    states = stack.client("ANSTEAD", "stepfunctions")
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.5)
    return dict(found)


def _fan_outs(step: str, kills: list[Kill]) -> dict[str, int]:
    """How many were killed in each fan-out of a step."""
    machine = next(m for m in catalogue.load().state_machines if m.step == step)
    return Counter(kill.run_type for kill in kills if kill.run_type in machine.run_types)


def _check(ended: dict[str, Any], killer: Killer, alone: dict[str, float], killed: dict[str, float]) -> None:
    if ended["status"] != "SUCCEEDED":
        raise NotAsPromised(
            f"the run with the kills ended as {ended['status']}: {ended.get('error')}: {ended.get('cause')}"
        )
    if len(killer.kills) < killer.most:
        raise NotAsPromised(f"only {len(killer.kills)} of {killer.most} workers could be killed: give more ACCOUNTS=")
    for step, took in killed.items():
        fan_outs = len(_fan_outs(step, killer.kills))
        if fan_outs and took - alone.get(step, 0) > MOST_SECONDS * fan_outs:
            raise NotAsPromised(
                f"{step} took {took:.0f} s, {alone.get(step, 0):.0f} s without kills in {fan_outs} fan-outs"
            )


def _table(alone: dict[str, float], killed: dict[str, float], kills: list[Kill]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("step", "alone, s", "with kills, s", "killed", "in"):
        table.add_column(column, justify="left" if column in ("step", "in") else "right")
    for step, took in killed.items():
        found = _fan_outs(step, kills)
        where = ", ".join(f"{name} {count}" for name, count in found.items())
        table.add_row(step, f"{alone.get(step, 0):.1f}", f"{took:.1f}", str(sum(found.values())), where)
    total = [f"{sum(map(times.get, killed)):.1f}" for times in (alone, killed)]  # type: ignore[arg-type]
    table.add_row("together", *total, str(len(kills)), "")
    return table


def main(arguments: list[str] | None = None) -> int:
    """The exit status is 0 if the run with the kills ended by itself, in time, with the same bytes."""
    parser = argparse.ArgumentParser(
        prog="local.performance.kills", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--kills", type=int, default=60, help="workers to kill (%(default)s)")
    parser.add_argument("--each", type=int, default=8, help="at most so many in one fan-out (%(default)s)")
    parser.add_argument("--accounts", type=int, default=360, help="size of the demo (%(default)s)")
    options = parser.parse_args(arguments)
    console = console_of(sys.stdout)
    with tempfile.TemporaryDirectory(prefix="bua-kills-") as work:
        return exit_status(lambda: compare(Path(work), options.accounts, options.kills, options.each, console), console)


if __name__ == "__main__":
    sys.exit(main())
