"""Python imports this by itself in the emulator's process, where it lies on the path: every IAM decision is written down.

Two things that ministack 1.5.33 does not do are done here: state machines act under their roles, and requests count as
if they came over TLS, which the emulator does not speak and the resources' policies insist on.
"""

import contextvars
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any


def _install(path: str) -> None:
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import stepfunctions

    from local import names

    log = Path(path).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 - open as long as the process lives
    evaluate, pin_origin = iam_evaluator.evaluate, iam_evaluator.pin_request_origin

    def recorded(context: Any, *arguments: Any) -> Any:
        if context.action in ("eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"):
            # The emulator asks for the cluster where AWS asks for the node group.
            arn = context.resource_arn.replace(":cluster/", ":nodegroup/") + f"/{names.EKS_NODE_GROUP}/some"
            context = replace(context, resource_arn=arn)
        result = evaluate(context, *arguments)
        role = context.principal_arn.split("/")[1] if "role/" in context.principal_arn else context.principal_arn
        line = {"role": role, "action": context.action, "resource": context.resource_arn, "decision": result.decision}
        log.write(json.dumps(line) + "\n")
        return result

    iam_evaluator.evaluate = recorded
    iam_evaluator.pin_request_origin = lambda address, _secure: pin_origin(address, True)

    role = contextvars.ContextVar("role", default="")
    execute, invoke, callback = (
        stepfunctions._execute_task,
        stepfunctions._invoke_resource,
        stepfunctions._invoke_with_callback,
    )

    def check(resource: str, arguments: dict[str, Any]) -> None:
        for action, arn in needed(resource, arguments, get_region(), get_account_id()):
            policies = iam_evaluator._gather_role_policies(role.get().split("/")[-1], get_account_id())
            context = iam_evaluator.EvalContext(
                principal_arn=role.get(), principal_type="AssumedRole", principal_account=get_account_id(),
                action=action, resource_arn=arn, region=get_region(), secure_transport=True,
            )  # fmt: skip
            if recorded(context, policies).decision != "Allow":
                message = f"{role.get()} is not authorized to perform: {action} on {arn}"
                raise stepfunctions._ExecutionError("States.Permissions", message)

    def execute_task(state: Any, raw_input: Any, execution: dict[str, Any], context: Any) -> Any:
        machine = stepfunctions._state_machines.get(execution["stateMachineArn"].split(":version")[0], {})
        role.set(machine.get("roleArn", ""))
        return execute(state, raw_input, execution, context)

    def invoke_resource(resource: str, arguments: dict[str, Any]) -> Any:
        check(resource, arguments)
        return invoke(resource, arguments)

    def invoke_with_callback(resource: str, arguments: dict[str, Any], *rest: Any) -> Any:
        check(resource, arguments)
        return callback(resource, arguments, *rest)

    stepfunctions._execute_task = execute_task
    stepfunctions._invoke_resource = invoke_resource
    stepfunctions._invoke_with_callback = invoke_with_callback


def needed(resource: str, arguments: dict[str, Any], region: str, account: str) -> list[tuple[str, str]]:
    """Actions and resources that a task of a state machine needs."""
    kind = resource.rsplit(":::", maxsplit=1)[-1]
    if kind.startswith("aws-sdk:rds:"):
        return _needed_of_rds(kind.rsplit(":", 1)[-1], arguments, f"arn:aws:rds:{region}:{account}")
    if kind.startswith("lambda:invoke"):
        return [("lambda:InvokeFunction", arguments["FunctionName"])]
    if kind.startswith("sqs:sendMessage"):
        owner, queue = arguments["QueueUrl"].rstrip("/").split("/")[-2:]
        return [("sqs:SendMessage", f"arn:aws:sqs:{region}:{owner}:{queue}")]
    if kind.startswith("sns:publish"):
        return [("sns:Publish", arguments["TopicArn"])]
    if kind.startswith("states:startExecution"):
        machine = arguments["StateMachineArn"]
        rule = f"arn:aws:events:{region}:{account}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
        return [
            ("states:StartExecution", machine),
            ("states:DescribeExecution", machine.replace(":stateMachine:", ":execution:") + ":some"),
            *[(f"events:{action}", rule) for action in ("PutRule", "PutTargets", "DescribeRule")],
        ]
    raise NotImplementedError(f"which permissions does {kind} need?")


def _needed_of_rds(operation: str, arguments: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    action = f"rds:{operation[0].upper()}{operation[1:]}"
    instances = [arguments["DbInstanceIdentifier"]] if "DbInstanceIdentifier" in arguments else []
    keys = ("DbSnapshotIdentifier", "SourceDbSnapshotIdentifier", "TargetDbSnapshotIdentifier")
    snapshots = [arguments[key] for key in keys if key in arguments]
    return [(action, f"{prefix}:db:{name}") for name in instances] + [
        (action, f"{prefix}:snapshot:{name}") for name in snapshots
    ]


if os.environ.get("E2E_CALLS") and "local.emulator" in sys.orig_argv:
    _install(os.environ["E2E_CALLS"])
