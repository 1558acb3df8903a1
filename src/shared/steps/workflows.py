"""Waits for the platform's workflow engine, resubmits failed instances, and checks the rest."""

from datetime import date
from typing import Any

from pydantic import Field

from shared.context import Context
from shared.database.connections import Cursor
from shared.errors import NotReady, WorkflowsFailed
from shared.steps import scaling
from shared.steps.requests import RunRequest
from shared.telemetry import logger

SHOWN_FAILURES = 3
SCHEDULER = "workflow"  # the service that executes schedules


class Workflows(RunRequest):
    """workflow.wait, workflow.resubmit, workflow.check, workflow.wait_for_schedules"""

    workflows: tuple[str, ...] = Field(min_length=1)


def wait(context: Context, request: Workflows) -> dict[str, Any]:
    """Raise NotReady while instances of the run are READY or RUNNING; failed ones are left to resubmit or check.

    Raises NobodyServes when the service that executes them has 0 replicas.
    """
    states = _count_states(context, request)
    unfinished = states.get("READY", 0) + states.get("RUNNING", 0)
    if unfinished:
        scaling.require_replicas(context, _unfinished_services(context, request))
        raise NotReady(f"{unfinished} of {sum(states.values())} instances of {_names(request)} are not finished")
    return {"instances": states}


def wait_for_success(context: Context, request: Workflows) -> dict[str, Any]:
    """As wait, for workflows that are not resubmitted: raises WorkflowsFailed when an instance failed."""
    waited = wait(context, request)
    check(context, request)
    return waited


def wait_for_schedules(context: Context, request: Workflows) -> dict[str, Any]:
    """Raise NotReady until every enabled schedule of the run has executed."""
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select count(*), count(*) filter (where executed_at is null) from core.workflow_schedule"
            " where run_date = %s and workflow_name = any (%s) and is_enabled",
            (request.run_date, list(request.workflows)),
        )
        schedules, waiting = cursor.fetchone() or (0, 0)
    if waiting:
        scaling.require_replicas(context, [SCHEDULER])
        raise NotReady(f"{waiting} of {schedules} schedules of {_names(request)} are not executed")
    return {"schedules": schedules}


def resubmit(context: Context, request: Workflows) -> dict[str, Any]:
    """Make the failed instances of the run READY again; the state machine does so once."""
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        for message in _failures(cursor, request.run_date, request.workflows):
            logger.warning("resubmitting a failed instance", failure=message)
        cursor.execute(
            "update core.workflow_instance set state = 'READY', started_at = null, finished_at = null"
            " where run_date = %s and workflow_name = any (%s) and state = 'FAILED'",
            (request.run_date, list(request.workflows)),
        )
        resubmitted = cursor.rowcount
        connection.commit()
    return {"resubmitted": resubmitted}


def check(context: Context, request: Workflows) -> dict[str, Any]:
    """Raise WorkflowsFailed, with the first reasons, when instances of the run are failed."""
    states = _count_states(context, request)
    if not states.get("FAILED"):
        return {"instances": states}
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        reasons = "; ".join(_failures(cursor, request.run_date, request.workflows))
    raise WorkflowsFailed(
        f"{states['FAILED']} of {sum(states.values())} instances of {_names(request)} failed: {reasons}"
    )


def _count_states(context: Context, request: Workflows) -> dict[str, int]:
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select state, count(*) from core.workflow_instance"
            " where run_date = %s and workflow_name = any (%s) group by state",
            (request.run_date, list(request.workflows)),
        )
        return dict(cursor.fetchall())


def _unfinished_services(context: Context, request: Workflows) -> list[str]:
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select distinct w.service from core.workflow_instance i join core.workflow w using (workflow_name)"
            " where i.run_date = %s and i.workflow_name = any (%s) and i.state in ('READY', 'RUNNING')",
            (request.run_date, list(request.workflows)),
        )
        return sorted(service for (service,) in cursor.fetchall())


def _failures(cursor: Cursor, run_date: date, workflows: tuple[str, ...]) -> list[str]:
    """The first failed instances, each with its last exception."""
    cursor.execute(
        "select i.workflow_name, i.workflow_instance_id, e.message from core.workflow_instance i"
        " left join lateral (select message from core.workflow_exception x"
        "   where x.workflow_instance_id = i.workflow_instance_id order by x.workflow_exception_id desc limit 1) e on true"
        " where i.run_date = %s and i.workflow_name = any (%s) and i.state = 'FAILED'"
        " order by i.workflow_instance_id limit %s",
        (run_date, list(workflows), SHOWN_FAILURES),
    )
    return [f"{name} {instance}: {message or 'no reason recorded'}" for name, instance, message in cursor.fetchall()]


def _names(request: Workflows) -> str:
    return ", ".join(request.workflows)
