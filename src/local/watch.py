"""Follows a run from EARL's snapshot to its end and shows its progress: the pipeline and the current step."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import psycopg2
from rich.console import Console
from rich.live import Live
from rich.table import Table

from local.aws import names
from local.stack import LocalStack
from shared import catalogue
from shared.database.connections import Connection
from shared.errors import NoCurrentRun, PermanentError
from shared.ledger import Ledger

POLL_SECONDS = 0.5
_MARKS = {
    "SUCCEEDED": "[green]done[/]",
    "RUNNING": "[yellow]running[/]",
    "FAILED": "[red]failed[/]",
    "": "[dim]waiting[/]",
}
_FAN_OUTS = """
    select f.run_type, f.planned, count(*) filter (where c.state <> 'PENDING')
    from bua.fan_out f left join bua.bua_control c using (run_date, run_type)
    where f.run_date = %s group by 1, 2 having count(*) filter (where c.state = 'PENDING') > 0
"""


class RunFailed(PermanentError):  # noqa: N818
    """A run ended without its export; the message is the ledger's error and cause."""


@dataclass
class Step:
    """One line of the display, and one entry of run.json."""

    step: str
    state: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    doing: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken so far."""
        return ((self.finished_at or datetime.now(UTC)) - self.started_at).total_seconds() if self.started_at else None


def follow(stack: LocalStack, run_date: date, console: Console) -> list[Step]:
    """Fire EARL's schedule for `run_date`, show the run until it has ended, and return its steps.

    Raises RunFailed when EARL's snapshot or a step of the run fails.
    """
    with closing(_Watch(stack, run_date, stack.start_month(run_date), details=console.is_terminal)) as watch:
        if not console.is_terminal:
            return _print_lines(watch, console)
        return _show_table(watch, console)


def _show_table(watch: "_Watch", console: Console) -> list[Step]:
    with Live(console=console, refresh_per_second=4) as live:
        return _poll(watch, lambda steps: live.update(_table(steps)))


def _poll(watch: "_Watch", show: Callable[[list[Step]], None]) -> list[Step]:
    while True:
        steps, is_over = watch.look()
        show(steps)
        if is_over:
            return steps
        time.sleep(POLL_SECONDS)


def _print_lines(watch: "_Watch", console: Console) -> list[Step]:
    """One line when a step begins and one when it ends: for logs and pipes."""
    printed: dict[str, str] = {}

    def show(steps: list[Step]) -> None:
        for step in steps:
            if step.state and printed.get(step.step) != step.state:
                printed[step.step] = step.state
                seconds = f"{step.seconds:6.1f} s" if step.finished_at and step.seconds is not None else " " * 8
                console.print(f"{step.step:<20} {step.state:<10} {seconds}  {_counts(step)}", markup=False)

    return _poll(watch, show)


class _Watch:
    """What is known of one run: EARL's execution, the ledger and, with details, the work items of the current step."""

    def __init__(self, stack: LocalStack, run_date: date, execution: str, *, details: bool) -> None:
        self._stack = stack
        self._run_date = run_date
        self._details = details
        self._connection: Connection | None = None
        self._execution = execution
        self._earl = stack.client("EARL", "stepfunctions")
        self._states = stack.client("ANSTEAD", "stepfunctions")
        self._sqs = stack.client("ANSTEAD", "sqs")
        self._ledger = Ledger(stack.client("ANSTEAD", "dynamodb"), names.CONTROL_TABLE)
        self._pipeline = tuple(catalogue.load().pipeline())

    def look(self) -> tuple[list[Step], bool]:
        """The steps as they stand, and whether the run has ended; raises RunFailed."""
        snapshot = self._snapshot()
        run = self._ledger.run(self._run_date)
        steps = [snapshot, *self._steps()]
        if run.get("state") == "FAILED":
            raise RunFailed(f"{run.get('error')}: {run.get('cause')} (logs: {self._stack.log_directory})")
        if not run.get("state"):
            self._check_announcement()
        return steps, run.get("state") == "SUCCEEDED"

    def _check_announcement(self) -> None:
        queue = self._sqs.get_queue_url(QueueName=f"{names.queue_name('notify')}-dlq")["QueueUrl"]
        found = self._sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
        if int(found["Attributes"]["ApproximateNumberOfMessages"]):
            raise RunFailed(
                f"EARL's announcement could not be processed: see the log of notify in {self._stack.log_directory}"
            )

    def _snapshot(self) -> Step:
        found = self._earl.describe_execution(executionArn=self._execution)
        if found["status"] not in ("RUNNING", "SUCCEEDED"):
            raise RunFailed(f"EARL's snapshot: {found.get('error')}: {found.get('cause')}")
        return Step("snapshot (EARL)", found["status"], found["startDate"], found.get("stopDate"), attempts=1)

    def _steps(self) -> Iterator[Step]:
        records = self._ledger.steps(self._pipeline, self._run_date)
        for name in self._pipeline:
            record = records[name]
            counts = {key: {k: int(v) for k, v in value.items()} for key, value in record.get("counts", {}).items()}
            step = Step(name, record.get("state", ""), _moment(record.get("started_at")), _moment(record.get("finished_at")),
                        int(record.get("attempts", 0)), counts)  # fmt: skip
            if self._details and step.state == "RUNNING":
                step.doing = self._doing(record["execution"])
            yield step

    def _doing(self, execution: str) -> str:
        """The state that a step is in, and how many work items of its fan-out are done."""
        with suppress(Exception):  # what it reads may disappear meanwhile; a run must not fail because of the display
            events = self._states.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=20)[
                "events"
            ]
            entered = next(e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e)
            return f"{entered}{self._progress()}"
        return ""

    def _progress(self) -> str:
        try:
            with self._connected().cursor() as cursor:
                cursor.execute(_FAN_OUTS, (self._run_date,))
                return "".join(f"  {done}/{planned}" for _, planned, done in cursor.fetchall())
        except (NoCurrentRun, psycopg2.Error):
            self.close()  # not restored yet, or deleted again
            return ""

    def _connected(self) -> Connection:
        """One connection for the whole run; in autocommit, so that no step waits for the display's locks."""
        if self._connection is None:
            self._connection = psycopg2.connect(self._stack.run_dsn())
            self._connection.autocommit = True
        return self._connection

    def close(self) -> None:
        """Close the connection to the run's database."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()


def _table(steps: list[Step]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("step", min_width=20)
    table.add_column("state", min_width=8)
    table.add_column("seconds", justify="right", min_width=8)
    table.add_column("")
    for step in steps:
        seconds = "" if step.seconds is None else f"{step.seconds:.1f}"
        table.add_row(step.step, _MARKS.get(step.state, step.state), seconds, step.doing or f"[dim]{_counts(step)}[/]")
    return table


def _counts(step: Step) -> str:
    return "  ".join(
        f"{run_type} {counts['planned']}" + (f" ({counts['fail']} failed)" if counts.get("fail") else "")
        for run_type, counts in step.counts.items()
    )


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
