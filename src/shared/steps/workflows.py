"""Waits for the platform's workflow engine, resubmits failed instances item by item, and checks the rest."""

from datetime import date
from typing import Any

from pydantic import Field

from shared.context import Context
from shared.database.connections import Cursor
from shared.errors import NotReady, WorkflowsFailed
from shared.steps import scaling
from shared.steps.requests import RunRequest
from shared.telemetry import logger
from shared.work.messages import Tolerance

SHOWN_FAILURES = 3
SCHEDULER = "workflow"  # the service that executes schedules


# An instance has many items: accounts, files, or the reads of sites. Each part of a payload has one of them.
_PARTS = """
    select n, f.payload || jsonb_build_object('accounts', jsonb_build_array(a)) as payload
    from jsonb_array_elements(f.payload -> 'accounts') with ordinality x (a, n)
    union all
    select n, f.payload || jsonb_build_object('keys', jsonb_build_array(k))
    from jsonb_array_elements(f.payload -> 'keys') with ordinality x (k, n)
    union all
    select row_number() over (order by r ->> 'nmi'), f.payload || jsonb_build_object('reads', jsonb_agg(r order by n))
    from jsonb_array_elements(f.payload -> 'reads') with ordinality x (r, n) group by r ->> 'nmi'
    union all
    select 1, f.payload where not f.payload ?| array['accounts', 'keys', 'reads']
"""


class Workflows(RunRequest):
    """workflow.wait, workflow.resubmit, workflow.wait_for_schedules"""

    workflows: tuple[str, ...] = Field(min_length=1)


class CheckWorkflows(Workflows, Tolerance):
    """workflow.check: how many items of each workflow may have failed; none, unless it says so."""

    max_errors: int = Field(ge=0, default=0)
    acceptable_error_rate: float = Field(ge=0, le=1, default=0)


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
    """Make the failed instances of the run READY again, one item each, so that an item that fails for good fails alone.

    The state machine does so once.
    """
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        for message in _failures(cursor, request.run_date, request.workflows):
            logger.warning("resubmitting a failed instance", failure=message)
        cursor.execute(
            "with failed as materialized ("  # the first part stays in the instance that failed
            " select * from core.workflow_instance"
            " where run_date = %s and workflow_name = any (%s) and state = 'FAILED'),"
            f" part as materialized (select f.workflow_instance_id, f.workflow_name, f.run_date, p.* from failed f"
            f" cross join lateral ({_PARTS}) p (n, payload)),"
            " rest as (insert into core.workflow_instance (workflow_name, payload, run_date)"
            " select workflow_name, payload, run_date from part where n > 1 order by workflow_instance_id, n)"
            " update core.workflow_instance i"
            " set state = 'READY', started_at = null, finished_at = null, payload = coalesce(p.payload, f.payload)"
            " from failed f left join part p on p.workflow_instance_id = f.workflow_instance_id and p.n = 1"
            " where i.workflow_instance_id = f.workflow_instance_id",
            (request.run_date, list(request.workflows)),
        )
        resubmitted = cursor.rowcount
        connection.commit()
    return {"resubmitted": resubmitted}


def check(context: Context, request: CheckWorkflows) -> dict[str, Any]:
    """Raise WorkflowsFailed, with the first reasons, when more items of a workflow failed than are tolerated."""
    states = _count_states(context, request)
    if not states.get("FAILED"):
        return {"instances": states}
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select f.workflow_name, count(*) filter (where f.state = 'FAILED'), count(*)"
            f" from core.workflow_instance f cross join lateral ({_PARTS}) p"
            " where f.run_date = %s and f.workflow_name = any (%s) group by 1 order by 1",
            (request.run_date, list(request.workflows)),
        )
        items = cursor.fetchall()
        reasons = "; ".join(_failures(cursor, request.run_date, request.workflows))
    failed = [f"{failed} of {planned} items of {name}" for name, failed, planned in items if failed]
    if not all(request.tolerates(failed, planned) for _, failed, planned in items):
        raise WorkflowsFailed(
            f"{', '.join(failed)} failed; the limit is {request.max_errors} or {request.acceptable_error_rate:.2%}, "
            f"whichever is more. {reasons}"
        )
    logger.warning("items of workflows failed", failed=failed, reasons=reasons)
    return {"instances": states, "failed": failed}


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
