"""Every action of the two controllers, by the name under which the state machines call it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from psycopg2 import sql
from pydantic import ValidationError

from shared.context import Context
from shared.errors import InvalidInput, describe
from shared.steps import (
    booking,
    control,
    control_totals,
    export,
    failures,
    intervals,
    invoiceruns,
    nem12,
    restore,
    scaling,
    workflows,
)
from shared.steps.requests import Request, RunRequest


class Action(NamedTuple):
    """An action: its request and the function that performs it."""

    request: type[Request]
    perform: Callable[[Context, Any], Mapping[str, Any]]


def call(*procedures: str) -> Callable[[Context, RunRequest], dict[str, Any]]:
    """An action that calls procedures of schema bua with the run date, in order, in one transaction."""

    def action(context: Context, request: RunRequest) -> dict[str, Any]:
        with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
            for name in procedures:
                cursor.execute(sql.SQL("call bua.{}(%s)").format(sql.Identifier(name)), (request.run_date,))
            connection.commit()
        return {"called": list(procedures)}

    return action


ACTIONS: dict[str, Action] = {
    # runs and steps
    "run.begin": Action(control.BeginRun, control.begin_run),
    "run.finish": Action(control.End, control.finish_run),
    "run.fail": Action(control.Fail, control.fail_run),
    "step.begin": Action(control.BeginStep, control.begin_step),
    "step.finish": Action(control.End, control.finish_step),
    "step.fail": Action(control.Fail, control.fail_step),
    # restore and terminate
    "restore.discard_stack": Action(RunRequest, restore.discard_stack),
    "restore.copy_snapshot": Action(RunRequest, restore.copy_snapshot),
    "restore.wait_for_snapshot": Action(RunRequest, restore.wait_for_snapshot),
    "restore.create_stack": Action(RunRequest, restore.create_stack),
    "restore.wait_for_stack": Action(RunRequest, restore.wait_for_stack),
    "restore.reset_admin_password": Action(RunRequest, restore.reset_admin_password),
    "restore.wait_for_admin_password": Action(RunRequest, restore.wait_for_admin_password),
    "restore.check_contract": Action(RunRequest, restore.check_contract),
    "restore.migrate": Action(RunRequest, restore.migrate_schema),
    "restore.disable_schedules": Action(RunRequest, restore.disable_schedules),
    "restore.truncate_workflow": Action(RunRequest, restore.truncate_workflow),
    "restore.set_passwords": Action(RunRequest, restore.set_passwords),
    "restore.close_logins": Action(RunRequest, restore.close_logins),
    "restore.calculate_statistics": Action(RunRequest, restore.calculate_statistics),
    "restore.point_dns": Action(RunRequest, restore.point_dns),
    "terminate.delete_copy": Action(RunRequest, restore.delete_copy),
    # the frozen input
    "intervals.wait_for_export": Action(RunRequest, intervals.wait_for_export),
    "intervals.import_table": Action(RunRequest, intervals.import_table),
    "intervals.wait_for_import": Action(RunRequest, intervals.wait_for_import),
    "intervals.delete_table": Action(RunRequest, intervals.delete_table),
    "intervals.empty_generated": Action(RunRequest, intervals.empty_generated),
    # scaling
    "scale.nodes": Action(scaling.ScaleNodes, scaling.scale_nodes),
    "scale.wait_for_nodes": Action(scaling.ScaleNodes, scaling.wait_for_nodes),
    "scale.pods": Action(scaling.ScalePods, scaling.scale_pods),
    "scale.wait_for_pods": Action(scaling.ScalePods, scaling.wait_for_pods),
    # the platform's workflow engine
    "workflow.wait": Action(workflows.Workflows, workflows.wait),
    "workflow.wait_for_schedules": Action(workflows.Workflows, workflows.wait_for_schedules),
    "workflow.resubmit": Action(workflows.Workflows, workflows.resubmit),
    "workflow.check": Action(workflows.CheckWorkflows, workflows.check),
    # single procedures
    "warming.statistics": Action(RunRequest, call("core_warm_database_statistics")),
    "warming.indexes": Action(RunRequest, call("core_warm_database_indexes")),
    # gas first: its profiles are part of the macro profile
    "segments.macro_profile": Action(
        RunRequest, call("import_gas_volumes_profile_creation", "bua_create_macro_profile")
    ),
    "invoiceruns.set_priorities": Action(RunRequest, invoiceruns.set_priorities),
    "invoiceruns.initiate": Action(RunRequest, call("bua_initiate_invoice_runs")),
    "control.check_failures": Action(failures.CheckFailures, failures.check_failures),
    # files
    "nem12.clear_files": Action(RunRequest, nem12.clear_files),
    "export.truncate": Action(RunRequest, call("truncate_export")),
    "export.clear_csv": Action(RunRequest, export.clear_csv),
    "export.clear_outbound": Action(RunRequest, export.clear_outbound),
    "export.collect_failures": Action(RunRequest, call("collect_failures", "create_estimate_bands")),
    "export.control": Action(RunRequest, control_totals.write),
    "export.book": Action(RunRequest, booking.book),
    "export.copy_outbound": Action(RunRequest, export.copy_outbound),
    "export.report_failed": Action(export.ReportFailed, export.report_failed),
}


def perform(context: Context, event: Mapping[str, Any]) -> dict[str, Any]:
    """Perform the action that an event names; raises InvalidInput if it does not exist or its request is wrong."""
    name = event.get("action")
    action = ACTIONS.get(str(name))
    if action is None:
        raise InvalidInput(f"{name!r} is not an action; the actions are {', '.join(ACTIONS)}")
    try:
        request = action.request.model_validate({key: value for key, value in event.items() if key != "action"})
    except ValidationError as error:
        raise InvalidInput(f"{name}: {describe(error)}") from error
    return dict(action.perform(context, request))
