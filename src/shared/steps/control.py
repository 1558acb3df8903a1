"""Beginning and ending of runs and steps: the run date, the lock, the ledger."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from shared import catalogue, period
from shared.context import Context
from shared.errors import InvalidInput, NoCurrentRun, RunDateRefused, RunInProgress
from shared.ledger import Current
from shared.period import Period
from shared.steps.requests import Request
from shared.telemetry import logger
from shared.work.messages import IntervalExport

RUNNING, SUCCEEDED, FAILED, TERMINATED = "RUNNING", "SUCCEEDED", "FAILED", "TERMINATED"

ERROR_LENGTH = 200
CAUSE_LENGTH = 2000


class ConsoleInput(BaseModel):
    """The input of any machine in the console. Unknown names are refused: a misspelt start_at would run everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_date: date | None = None
    force: bool = False
    snapshot_arn: str | None = None
    max_errors: int | None = Field(default=None, ge=0)
    acceptable_error_rate: float | None = Field(default=None, ge=0, le=1)
    comment: str | None = Field(default=None, alias="Comment")  # the console's own example input has one
    interval_export: IntervalExport | None = None
    no_interval_export: str | None = None
    live_intervals: bool | None = None  # True: read production's table as it is, even if there is an export
    from_date: date | None = None
    to_date: date | None = None
    as_at: date | None = None
    started_by: str | None = Field(default=None, alias="AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID")


class StepInput(ConsoleInput):
    """The input of a step's machine."""

    lock_owner: str | None = None  # given by `bua`: the step works under its lock


class RunInput(ConsoleInput):
    """The input of `bua`, from a person or from EARL's announcement."""

    start_at: str | None = None
    stop_after: str | None = None
    skip: tuple[str, ...] = ()


class BeginRun(Request):
    """run.begin"""

    execution: str
    input: RunInput


class BeginStep(Request):
    """step.begin"""

    step: str
    execution: str
    input: StepInput


class End(Request):
    """run.finish and, with a step, step.finish"""

    step: str = "bua"
    execution: str
    run_date: date


class Fail(End):
    """run.fail and, with a step, step.fail"""

    error: str
    cause: str


def begin_run(context: Context, request: BeginRun) -> dict[str, Any]:
    """Fix the run date, take the lock, and work out which steps to run.

    Returns run_date, steps (names in order) and step_input, which is passed to every step.
    """
    given = request.input
    steps = choose_steps(catalogue.load().pipeline(), given.start_at, given.stop_after, given.skip)
    if given.snapshot_arn and given.run_date:
        # Before the lock: an announcement comes once, and must not be lost because another execution is running.
        _record_source(context, given.run_date, given)
    context.ledger.take_lock(request.execution, context.now, lambda arn: is_running(context, arn))
    with _released_on_error(context, request.execution):
        current = context.ledger.current()
        run_date = resolve_run_date(current, given.run_date, force=given.force, may_begin="restore" in steps)
        chosen = resolve_period(context, run_date, given, may_begin="restore" in steps)
        _make_current(context, current, run_date, restores="restore" in steps)
        values: dict[str, Any] = {
            "state": RUNNING,
            "started_at": context.now.isoformat(timespec="seconds"),
            "steps": list(steps),
        }
        values |= asdict(chosen)
        values |= _choose_intervals(given, restores="restore" in steps)
        context.ledger.set_run(run_date, values, remove=("finished_at", "error", "cause"))
        _record_source(context, run_date, given)
    logger.info("run begins", run_date=run_date.isoformat(), period=str(chosen), steps=steps)
    step_input: dict[str, Any] = {
        "run_date": run_date.isoformat(),
        "lock_owner": request.execution,
        "force": given.force,
    }
    step_input |= given.model_dump(include={"max_errors", "acceptable_error_rate"}, exclude_none=True)
    return {"run_date": run_date.isoformat(), "steps": list(steps), "step_input": step_input}


def finish_run(context: Context, request: End) -> dict[str, Any]:
    """Record the success of a run and release the lock."""
    finished = context.now.isoformat(timespec="seconds")
    context.ledger.set_run(request.run_date, {"state": SUCCEEDED, "finished_at": finished})
    if context.ledger.current().state != TERMINATED:
        context.ledger.set_current({"state": SUCCEEDED})
    context.ledger.release_lock(request.execution)
    return {"run_date": request.run_date.isoformat(), "state": SUCCEEDED}


def fail_run(context: Context, request: Fail) -> dict[str, str]:
    """Record the failure of a run and release the lock; returns error and cause as a person reads them."""
    error, cause = readable(request.error, request.cause)
    finished = context.now.isoformat(timespec="seconds")
    context.ledger.set_run(request.run_date, {"state": FAILED, "finished_at": finished, "error": error, "cause": cause})
    context.ledger.set_current({"state": FAILED})
    context.ledger.release_lock(request.execution)
    logger.error("run failed", run_date=request.run_date.isoformat(), error=error, cause=cause)
    return {"error": error, "cause": cause}


def begin_step(context: Context, request: BeginStep) -> dict[str, Any]:
    """Find the run date, take the lock or join that of `bua`, and count the attempt."""
    given = request.input
    _take_or_join_lock(context, request)
    with _released_on_error(context, request.execution):
        current = context.ledger.current()
        is_restore = request.step == "restore"
        run_date = resolve_run_date(
            current, given.run_date, force=given.force, may_begin=is_restore and current.state == TERMINATED
        )
        chosen = resolve_period(context, run_date, given, may_begin=is_restore)
        if is_restore:
            _make_current(context, current, run_date, restores=True)
            chosen_intervals = {} if given.lock_owner else _choose_intervals(given, restores=True)
            context.ledger.set_run(run_date, asdict(chosen) | chosen_intervals)
            _record_source(context, run_date, given)
        else:
            _choose_intervals(given, restores=False)
        attempt = context.ledger.begin_step(request.step, run_date, request.execution, context.now)
    logger.info("step begins", step=request.step, run_date=run_date.isoformat(), attempt=attempt)
    return {"run_date": run_date.isoformat(), "attempt": attempt}


def finish_step(context: Context, request: End) -> dict[str, Any]:
    """Record the success of a step; a step that was started alone releases the lock."""
    context.ledger.end_step(request.step, request.run_date, context.now, {"state": SUCCEEDED})
    context.ledger.release_lock(request.execution)
    record = context.ledger.step(request.step, request.run_date)
    counts = {run_type: _integers(values) for run_type, values in record.get("counts", {}).items()}
    return {"run_date": request.run_date.isoformat(), "step": request.step, "counts": counts}


def fail_step(context: Context, request: Fail) -> dict[str, str]:
    """Record the failure of a step; returns error and cause as a person reads them."""
    error, cause = readable(request.error, request.cause)
    outcome = {"state": FAILED, "error": error, "cause": cause}
    context.ledger.end_step(request.step, request.run_date, context.now, outcome)
    context.ledger.release_lock(request.execution)
    logger.error("step failed", step=request.step, run_date=request.run_date.isoformat(), error=error, cause=cause)
    return {"error": error, "cause": cause}


def choose_steps(
    pipeline: Mapping[str, tuple[str, ...]], start_at: str | None, stop_after: str | None, skip: tuple[str, ...]
) -> tuple[str, ...]:
    """The steps from start_at to stop_after, both included, without those to skip; raises InvalidInput.

    pipeline: every step, in order, with the scale-ups that it needs. These are added even where they come before
    start_at: otherwise a resumed run would wait for pods that an earlier attempt scaled down.
    """
    for name in (start_at, stop_after, *skip):
        if name is not None and name not in pipeline:
            raise InvalidInput(f"{name!r} is not a step; the steps are {', '.join(pipeline)}")
    order = list(pipeline)
    first = order.index(start_at) if start_at else 0
    last = order.index(stop_after) if stop_after else len(order) - 1
    chosen = [step for step in order[first : last + 1] if step not in skip]
    if not chosen:
        raise InvalidInput("start_at, stop_after and skip leave no step to run")
    needed = {scale_up for step in chosen for scale_up in pipeline[step] if scale_up not in skip}
    return tuple(step for step in pipeline if step in chosen or step in needed)


def resolve_run_date(current: Current, given: date | None, *, force: bool, may_begin: bool) -> date:
    """The run date to work on: the one given, or the current run's; one that contradicts it is refused.

    may_begin: a new run may start, because the steps restore a database for it. Raises NoCurrentRun,
    RunDateRefused.
    """
    if given is None:
        if current.run_date is None:
            raise NoCurrentRun('no run is recorded in this environment: give {"run_date": "YYYY-MM-01"}')
        return current.run_date
    if current.run_date in (None, given) or force or may_begin:
        return given
    raise RunDateRefused(
        f'the current run is that of {current.run_date}, not {given}: leave run_date out, or give "force": true'
    )


def resolve_period(context: Context, run_date: date, given: ConsoleInput, *, may_begin: bool) -> Period:
    """The period to work on: the recorded one, or the one given where a database is made for it.

    Raises InvalidInput for an impossible one, PeriodRefused for one that contradicts the run's database.
    """
    dates = (given.from_date, given.to_date, given.as_at)
    known = period.recorded(context.ledger.run(run_date), run_date)
    if may_begin and any(dates):
        return period.choose(run_date, *dates)
    if not may_begin:
        period.agree(known, *dates)
    return known


def is_running(context: Context, execution: str) -> bool:
    """Whether an execution still runs; an unknown one does not."""
    try:
        response = context.client("stepfunctions").describe_execution(executionArn=execution)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ExecutionDoesNotExist", "InvalidArn"):
            return False
        raise
    return bool(response["status"] == "RUNNING")


def readable(error: str, cause: str) -> tuple[str, str]:
    """The plain error and cause: a function's error is JSON, a child machine's is JSON around that."""
    try:
        parsed = json.loads(cause)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        if "errorMessage" in parsed:
            return str(parsed.get("errorType", error))[:ERROR_LENGTH], str(parsed["errorMessage"])[:CAUSE_LENGTH]
        if "Cause" in parsed:
            return readable(str(parsed.get("Error", error)), str(parsed["Cause"]))
    return error[:ERROR_LENGTH], cause[:CAUSE_LENGTH]


def _choose_intervals(given: ConsoleInput, *, restores: bool) -> dict[str, bool]:
    """Whether the run reads production's table as it is; raises InvalidInput where the input is chosen already."""
    if not restores and given.live_intervals is not None:
        raise InvalidInput("live_intervals is chosen where a database is restored: start at restore")
    return {"live_intervals": bool(given.live_intervals)} if restores else {}


def _record_source(context: Context, run_date: date, given: ConsoleInput) -> None:
    """Record what the run works on: the snapshot, and the export of the interval reads that belongs to it."""
    known = context.ledger.run(run_date)
    if given.interval_export:
        context.ledger.set_run(
            run_date, {"interval_export": given.interval_export.model_dump()}, remove=("no_interval_export",)
        )
    elif given.no_interval_export or given.snapshot_arn not in (None, known.get("snapshot_arn")):
        why = given.no_interval_export or "no export was announced with the snapshot"
        context.ledger.set_run(run_date, {"no_interval_export": why}, remove=("interval_export",))
    if given.snapshot_arn:
        context.ledger.set_run(run_date, {"snapshot_arn": given.snapshot_arn})


def _take_or_join_lock(context: Context, request: BeginStep) -> None:
    owner = request.input.lock_owner
    if owner is None:
        context.ledger.take_lock(request.execution, context.now, lambda arn: is_running(context, arn))
    elif context.ledger.current().lock_owner != owner:
        raise RunInProgress(f"{owner} no longer holds the lock: leave lock_owner out to start the step alone")


def _make_current(context: Context, current: Current, run_date: date, *, restores: bool) -> None:
    """Make a run the environment's current one; if it restores a database, drop the address of another run's."""
    forgotten: tuple[str, ...] = ()
    if restores and current.run_date != run_date:
        forgotten = ("update_id", "db_host", "db_port")
        if current.db_host is not None:
            logger.warning("an earlier run's database is left", run_date=str(current.run_date), host=current.db_host)
    context.ledger.set_current({"run_date": run_date, "state": RUNNING}, remove=forgotten)


@contextmanager
def _released_on_error(context: Context, owner: str) -> Iterator[None]:
    """Release the lock that an execution took itself, when its begin action fails."""
    try:
        yield
    except Exception:
        context.ledger.release_lock(owner)
        raise


def _integers(values: dict[str, Any]) -> dict[str, int]:
    return {name: int(value) for name, value in values.items()}
