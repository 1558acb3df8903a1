"""`make kills`: kill workers while they work, all through a run, and see that it ends by itself, with the same bytes, soon.

A demo portfolio is accrued twice on one local stack: left alone, and with up to KILLS= workers killed as `kill -9` does.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
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

MOST_SECONDS = 120  # that a fan-out may take longer for the killed workers of one function
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
    """Kills so many workers of the current run, in every fan-out a share, until it is told to stop.

    A fan-out's clock and its initiator are killed once each.
    """

    def __init__(self, stack: LocalStack, kills: int, each: int) -> None:
        super().__init__(daemon=True)
        self.kills: list[Kill] = []
        self.most = kills
        self._stack, self._each = stack, each
        self._begun: dict[Kill, float] = {}
        self._of_items = {run_type.function for run_type in catalogue.load().run_types.values()}
        self._over = threading.Event()
        self._workers = {
            names.function_name(key): key for key, found in catalogue.load().functions.items() if found.queue
        }

    def stop(self) -> None:
        """End the killing."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look for workers, again and again: the database comes, and goes, during the run."""
        while not self._over.is_set():
            with (
                suppress(psycopg2.Error, PermanentError),
                closing(psycopg2.connect(self._stack.run_dsn())) as connection,
            ):
                connection.autocommit = True
                with connection.cursor() as cursor:
                    self._look(cursor)
            self._over.wait(1)

    def _look(self, cursor: Any) -> None:
        while not self._over.wait(POLL_SECONDS) and len(self.kills) < self.most:
            cursor.execute(_AT_WORK, (list(self._workers),))
            at_work = {port: self._workers[name] for name, port in cursor.fetchall()}
            cursor.execute(_FAN_OUT, (RUN_DATE,))
            for (run_type,) in cursor.fetchall() if at_work else ():
                self._kill(run_type, at_work)

    def _kill(self, run_type: str, at_work: dict[int, str]) -> None:
        for port, process in self._sandboxes():
            if port in at_work and self._may(kill := Kill(run_type, at_work[port])):
                process.kill()
                self.kills.append(kill)

    def _may(self, kill: Kill) -> bool:
        begun = self._begun.setdefault(kill, time.monotonic())
        most = self._each if kill.function in self._of_items else 1
        return len(self.kills) < self.most and self.kills.count(kill) < most and time.monotonic() - begun < WAVE_SECONDS

    def _sandboxes(self) -> list[tuple[int, psutil.Process]]:
        found = []
        for process in psutil.Process(self._stack.process_id).children(recursive=True):
            with suppress(psutil.Error):  # it has just ended
                found += [(c.laddr.port, process) for c in process.net_connections("tcp") if c.raddr]
        return found


def step_seconds(stack: LocalStack) -> dict[str, float]:
    """How long each step of the last run took."""
    ledger = Ledger(stack.client("ANSTEAD", "dynamodb"), names.CONTROL_TABLE)
    records = ledger.steps(tuple(catalogue.load().pipeline()), RUN_DATE)
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
    with console.status(f"generating a demo portfolio of {accounts} accounts ..."):
        write_demo(work / "demo", accounts=accounts, seed=1, run_date=RUN_DATE)
        zips.build(zips.host_target())
    with LocalStack(work / "stack") as stack:
        load_production(stack, read_portfolio(work / "demo", RUN_DATE))
        console.print("Left alone:")
        follow(stack, RUN_DATE, console)
        outputs.collect(stack.client("ANSTEAD", "s3"), RUN_DATE, work / "alone")
        alone = step_seconds(stack)
        killer = Killer(stack, kills, each)
        with console.status("") as status:
            ended = _run(stack, killer, lambda done: status.update(f"again, {done} of {kills} workers killed ..."))
        outputs.collect(stack.client("ANSTEAD", "s3"), RUN_DATE, work / "killed")
        killed = step_seconds(stack)
    console.print(_table(alone, killed, killer.kills))
    if ended["status"] != "SUCCEEDED":
        raise NotAsPromised(f"the run ended as {ended['status']}: {ended.get('error')}: {ended.get('cause')}")
    if content(work / "alone") != content(work / "killed"):
        raise NotAsPromised("the run with the kills wrote other bytes")
    console.print(f"It ended by itself, {len(killer.kills)} workers killed, and wrote the same bytes.")
    if not killer.kills:
        raise NotAsPromised("no worker could be killed while it worked: give more ACCOUNTS=")
    _check_costs(alone, killed, killer.kills)


def _run(stack: LocalStack, killer: Killer, show: Callable[[int], None]) -> dict[str, Any]:
    """The run with the kills, up to its export; returns its execution."""
    execution = stack.start_step("bua", run_date=str(RUN_DATE), stop_after="export")
    states = stack.client("ANSTEAD", "stepfunctions")
    killer.start()
    try:
        while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            show(len(killer.kills))
            time.sleep(0.5)
    finally:
        killer.stop()
    return dict(found)


def _of_step(step: str, kills: list[Kill]) -> Counter[Kill]:
    """The kills of a step's fan-outs, counted."""
    machine = next(m for m in catalogue.load().state_machines if m.step == step)
    return Counter(kill for kill in kills if kill.run_type in machine.run_types)


def _check_costs(alone: dict[str, float], killed: dict[str, float], kills: list[Kill]) -> None:
    """Kills of one function in one fan-out overlap; a killed clock or initiator comes before or after the workers."""
    for step, took in killed.items():
        costly = len(_of_step(step, kills))
        if took - alone.get(step, took) > MOST_SECONDS * costly:
            raise NotAsPromised(f"{step} took {took:.0f} s, {alone[step]:.0f} s alone: over {MOST_SECONDS} s a kill")


def _table(alone: dict[str, float], killed: dict[str, float], kills: list[Kill]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("step", "alone, s", "with kills, s", "killed", "of which"):
        table.add_column(column, justify="left" if column in ("step", "of which") else "right")
    for step, took in killed.items():
        if found := _of_step(step, kills):
            functions = Counter(kill.function for kill in found.elements())
            which = ", ".join(f"{function} {count}" for function, count in functions.items())
            table.add_row(step, f"{alone.get(step, 0):.0f}", f"{took:.0f}", str(found.total()), which)
    total = [f"{sum(times.get(step, 0) for step in killed):.0f}" for times in (alone, killed)]
    table.add_row("all steps", *total, str(len(kills)), "")
    return table


def main(arguments: list[str] | None = None) -> int:
    """The exit status is 0 if the run with the kills ended by itself, in time, with the same bytes."""
    parser = argparse.ArgumentParser(
        prog="local.performance.kills", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--kills", type=int, default=60, help="workers to kill at most (%(default)s)")
    parser.add_argument(
        "--each", type=int, default=8, help="at most so many of one function in a fan-out (%(default)s)"
    )
    parser.add_argument("--accounts", type=int, default=360, help="size of the demo (%(default)s)")
    options = parser.parse_args(arguments)
    console = console_of(sys.stdout)
    with tempfile.TemporaryDirectory(prefix="bua-kills-") as work:
        return exit_status(lambda: compare(Path(work), options.accounts, options.kills, options.each, console), console)


if __name__ == "__main__":
    sys.exit(main())
