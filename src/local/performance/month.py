"""A month's database half, in the order of the state machines: every fan-out and every action that calls the database.

The functions' own code plans, claims, works and finishes; what the platform does in between (loading files, invoicing) is
done by its stand-ins, and measured apart.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, Protocol
from unittest import mock

from artifacts import machines
from local.performance.cloud import Files, Ledger, Queues, RunStore, States
from local.performance.counters import Peak, Sampler, Usage
from local.performance.server import Sessions
from local.platform import engine, workflow
from local.platform.meterdata import Loader
from shared import catalogue
from shared.aws import clients
from shared.context import Context
from shared.errors import BuaError
from shared.settings import Settings, from_environment
from shared.steps import actions, nem12, site_export, utility_profile
from shared.work import fanout
from shared.work.messages import FanOut, Work, parse
from shared.work.site import Perform, work_in_sql

# The functions whose work is more than SQL, and what their handlers call.
PYTHON_WORK: dict[str, Perform] = {
    "site-data": utility_profile.extract,
    "site-nem12": nem12.generate,
    "site-export": site_export.perform,
}
# Actions without the database: the ledger, AWS resources, files in S3, pods.
ELSEWHERE = ("step.", "scale.", "nem12.", "export.clear", "export.book", "export.copy_outbound", "export.report_failed")
SKIPPED_STEPS = ("restore", "terminate")

Kind = Literal["fan-out", "action", "platform"]


class WorkLost(BuaError):  # noqa: N818
    """A fan-out did not work off exactly what it had planned."""


@dataclass(frozen=True)
class Stage:
    """One state of the pipeline that the database takes part in."""

    step: str
    kind: Kind
    name: str
    payload: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass
class Measure:
    """What one stage used: its planning apart, its items, its peak of memory."""

    stage: Stage
    items: int = 0
    worked: int = 0
    messages: int = 0
    planning: Usage = field(default_factory=Usage)
    work: Usage = field(default_factory=Usage)
    peak: Peak = field(default_factory=Peak)

    @property
    def total(self) -> Usage:
        """Planning and work."""
        return self.planning + self.work


def stages() -> Iterator[Stage]:
    """The pipeline's fan-outs and actions, as the state machines have them."""
    known = catalogue.load()
    values = machines.example_values(known)
    by_step = {machine.step: machine for machine in known.state_machines}
    for step in known.pipeline():
        if step in SKIPPED_STEPS:
            continue
        definition = machines.render_machine(known, by_step[step], values)
        name = definition["StartAt"]
        while name:
            state = definition["States"][name]
            if stage := _stage(step, state.get("Arguments", {})):
                yield stage
            name = state.get("Next")


def _stage(step: str, arguments: Mapping[str, Any]) -> Stage | None:
    if run_type := arguments.get("MessageBody", {}).get("run_type"):
        return Stage(step, "fan-out", run_type)
    payload = arguments.get("Payload", {})
    action = payload.get("action")
    if action is None or action.startswith(ELSEWHERE):
        return None
    return Stage(step, "action", action, {name: payload[name] for name in payload if name != "action"})


class Store(Protocol):
    """EARL's interval store: boto3's client, as far as site-data uses it, and the processor time that it took itself."""

    @property
    def seconds(self) -> float: ...

    def get_paginator(self, operation: str, /) -> Any: ...


class Meter(Protocol):
    """What tells how much was used: Counters, or Unmeasured."""

    def read(self, not_ours: float = 0.0) -> Usage: ...

    def children(self) -> list[int]: ...


class Unmeasured:
    """Nobody asks what the stages cost."""

    def read(self, not_ours: float = 0.0) -> Usage:
        """Nothing."""
        del not_ours
        return Usage()

    def children(self) -> list[int]:
        """None."""
        return []


class Month:
    """Runs the stages one after the other and measures each. acceptable: the share of items that may fail."""

    def __init__(
        self, sessions: Sessions, store: Store, run_date: date, counters: Meter, *, acceptable: float = 0
    ) -> None:
        self._run_date = run_date
        self._acceptable = acceptable
        self._counters = counters
        self._store = store
        self._files, self._queues, self._states, self._runs = Files(), Queues(), States(), RunStore()
        self._sessions = sessions
        known = {"s3": self._files, "sqs": self._queues, "stepfunctions": self._states}
        self.context = Context(
            settings=_settings(), client=known.__getitem__, ledger=Ledger(), database=sessions,  # type: ignore[arg-type]
            now=datetime.now(UTC), remaining_seconds=lambda: 1e6,
        )  # fmt: skip

    def run(self, stage: Stage, progress: Callable[[int, int], None]) -> Iterator[Measure]:
        """Perform a stage; the platform's part in it, if there is one, is a measure of its own before it."""
        if stage.kind == "fan-out":
            yield self._fan_out(stage, progress)
            return
        if stage.name.startswith(("workflow.", "warming.")) or stage.name == "invoiceruns.initiate":
            yield from self._platform(stage, progress)
        measure = Measure(stage, 1, 1)
        with self._measuring(measure):
            actions.perform(self.context, {"action": stage.name, **self._request(stage.payload)})
        yield measure
        if stage.name.startswith("warming."):
            yield from self._platform(stage, progress)

    def _request(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """A state's payload with what the machine would fill in."""
        known = {"run_date": self._run_date.isoformat(), "max_errors": 0, "acceptable_error_rate": self._acceptable}
        return {name: known.get(name, value) for name, value in payload.items()}

    @contextmanager
    def _measuring(self, measure: Measure) -> Iterator[None]:
        with Sampler(self._counters.children) as sampler:
            before = self._counters.read(self._store.seconds)
            yield
            self._sessions.flush()
            measure.work += self._counters.read(self._store.seconds) - before
        measure.peak = sampler.peak

    def _fan_out(self, stage: Stage, progress: Callable[[int, int], None]) -> Measure:
        measure = Measure(stage)
        fan_out = FanOut(
            run_date=self._run_date, run_type=stage.name, step=stage.step, attempt="rehearsal", task_token="token",  # noqa: S106
            max_errors=0, acceptable_error_rate=self._acceptable,
        )  # fmt: skip
        before = self._counters.read(self._store.seconds)
        fanout.initiate(self.context, fan_out)
        self._sessions.flush()
        measure.planning = self._counters.read(self._store.seconds) - before
        function = catalogue.load().run_type(stage.name).function
        bodies = self._queues.take(self.context.settings.queue_url(function))
        measure.messages = len(bodies)
        perform = PYTHON_WORK.get(function, work_in_sql)
        with self._measuring(measure), mock.patch.object(clients, "client_as", return_value=self._store):
            for number, body in enumerate(bodies, start=1):
                perform(self.context, parse(Work, body))
                progress(number, len(bodies))
            fanout.tick(self.context, fan_out)
        counts = self.context.ledger.counts[stage.name]  # type: ignore[attr-defined]
        measure.items, measure.worked = counts["planned"], counts["done"] + counts["skip"]
        failed = counts["fail"]
        if measure.items != measure.worked + failed or not fan_out.tolerates(failed, measure.items):
            raise WorkLost(f"{stage.name}: {counts}")
        return measure

    def _platform(self, stage: Stage, progress: Callable[[int, int], None]) -> Iterator[Measure]:
        """Whatever waits in the platform's workflow engine, by workflow."""
        loader = Loader(self._files, self._runs, "runs")  # type: ignore[arg-type]
        handlers = {**workflow.handlers(self._runs, "runs"), "LOAD_NEM12": loader.load}  # type: ignore[arg-type]
        with closing(self._sessions.connect("workflow")) as connection, connection.cursor() as cursor:
            workflow.execute_schedules(connection)
            connection.commit()
            while True:
                cursor.execute(
                    "select workflow_name, count(*) from core.workflow_instance where state = 'READY' group by 1 order by 1 limit 1"
                )
                waiting = cursor.fetchone()
                connection.commit()
                if waiting is None:
                    return
                name, count = waiting
                measure = Measure(Stage(stage.step, "platform", name), count, count)
                with self._measuring(measure):
                    for number in range(1, count + 1):
                        engine.work_once(connection, {name: handlers[name]})
                        progress(number, count)
                yield measure


def _settings() -> Settings:
    """Names of no environment; those that are looked at say where a message goes."""
    names = [field.alias or "" for field in Settings.model_fields.values() if field.is_required()]
    return from_environment({**dict.fromkeys(names, "rehearsal"), "ACCOUNT_ID": "0" * 12})
