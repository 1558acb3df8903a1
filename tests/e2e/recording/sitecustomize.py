"""Python imports this by itself in the emulator's process, where it lies on the path: every IAM decision is written down.

What ministack 1.5.33 leaves out of its decisions is done here: state machines act under their roles, requests count as if
they came over TLS (which the emulator does not speak and the resources' policies insist on), and a few actions are asked
for the resource that AWS asks for.
"""

import contextvars
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

Evaluate = Callable[..., Any]


def _install(path: str) -> None:
    from ministack.core import iam_evaluator

    pin_origin = iam_evaluator.pin_request_origin
    iam_evaluator.pin_request_origin = lambda address, _secure: pin_origin(address, True)
    iam_evaluator.evaluate = _recorder(iam_evaluator.evaluate, Path(path))
    iam_evaluator._resolve_condition_key = _naming_roles(iam_evaluator._resolve_condition_key)
    iam_evaluator.enforce = _asking(iam_evaluator.enforce)
    _name_resources_as_aws_does()
    _give_machines_their_roles(iam_evaluator.evaluate)


# By task token, the ARN of the machine whose execution waits with it: what AWS asks for when a token comes back.
_MACHINE_OF_TOKEN: dict[str, str] = {}


def _naming_roles(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def resolved(key: str, context: Any) -> Any:
        """In AWS, aws:PrincipalArn of an assumed role is the role's ARN; the emulator takes the session's."""
        value = resolve(key, context)
        if key.lower() == "aws:principalarn" and ":assumed-role/" in str(value):
            _, _, _, _, account, session = value.split(":", 5)
            return f"arn:aws:iam::{account}:role/{session.split('/')[1]}"
        return value

    return resolved


# Set while somebody is asked for permission. Services of the emulator evaluate the policies of queues and topics as well
# when they send to each other, in the name of whoever was the last to call.
_ASKED: contextvars.ContextVar[bool] = contextvars.ContextVar("asked", default=False)


def _asking(ask: Callable[..., Any]) -> Callable[..., Any]:
    def asked(*arguments: Any, **keywords: Any) -> Any:
        token = _ASKED.set(True)
        try:
            return ask(*arguments, **keywords)
        finally:
            _ASKED.reset(token)

    return asked


def _recorder(evaluate: Evaluate, path: Path) -> Evaluate:
    from local.aws import names

    log = path.open("a", buffering=1, encoding="utf-8")

    def recorded(context: Any, *arguments: Any) -> Any:
        if context.action == "sns:Subscribe":
            # The emulator leaves the keys out that the topic's policy asks for. There is one subscription.
            queue = names.arn("sqs", names.ANSTEAD, names.queue_name("notify"))
            context = replace(context, service_context={"sns:protocol": "sqs", "sns:endpoint": queue})
        # IAM knows no batches: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
        if context.action.startswith("sqs:"):
            context = replace(context, action=context.action.removesuffix("Batch"))
        result = evaluate(context, *arguments)
        if context.action == "dynamodb:ImportTable" and result.decision == "Allow":
            result = _of_import(context, arguments[0], recorded, result)
        role = context.principal_arn.split("/")[1] if "role/" in context.principal_arn else context.principal_arn
        line = {"role": role, "action": context.action, "resource": context.resource_arn, "decision": result.decision}
        if _ASKED.get():
            log.write(json.dumps(line) + "\n")
        return result

    return recorded


def _of_import(context: Any, policies: Any, ask: Evaluate, allowed: Any) -> Any:
    """DynamoDB imports with the importer's identity: it reads the bucket, which both accounts must allow, and logs errors."""
    from ministack.core import iam_evaluator
    from ministack.services import s3

    from local.aws import names

    bucket = f"arn:aws:s3:::{names.INTERVAL_EXPORT_BUCKET}"
    shared = s3._bucket_policies.get_scoped(names.EARL, None, names.INTERVAL_EXPORT_BUCKET, "{}")
    for action, arn in (("s3:ListBucket", bucket), ("s3:GetObject", f"{bucket}/any/AWSDynamoDB/any/data/any.json.gz")):
        asked = replace(context, action=action, resource_arn=arn, service_context={})
        of_bucket = iam_evaluator.evaluate_resource_policy(shared, asked)
        if ask(asked, policies).decision != "Allow" or of_bucket.decision != "Allow":
            return replace(allowed, decision="ImplicitDeny", reason=f"{action} on {arn}")
    logs = f"arn:aws:logs:{context.region}:{names.ANSTEAD}:log-group:/aws-dynamodb/imports"
    for action in (
        "CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams", "PutLogEvents", "PutRetentionPolicy",
    ):  # fmt: skip
        if (
            ask(replace(context, action=f"logs:{action}", resource_arn=logs, service_context={}), policies).decision
            != "Allow"
        ):
            return replace(allowed, decision="ImplicitDeny", reason=f"logs:{action} on {logs}")
    return allowed


def _name_resources_as_aws_does() -> None:
    from ministack.core import iam_actions

    extract = iam_actions.extract_resource_arn

    def resource_of(service: str, method: str, path: str, *request: Any) -> str:
        _, body, query, region, account = request
        if service == "eks" and "/node-groups/" in path:
            cluster, _, group = path.removeprefix("/clusters/").split("/")[:3]
            return f"arn:aws:eks:{region}:{account}:nodegroup/{cluster}/{group}/some"
        if service == "rds":
            for key in ("TargetDBSnapshotIdentifier", "DBSnapshotIdentifier"):
                name = iam_actions._query_param(query, key)
                if name and not name.startswith("arn:"):
                    return f"arn:aws:rds:{region}:{account}:snapshot:{name}"
        if service == "dynamodb" and (arn := _of_export_or_import(json.loads(body or b"{}"), region, account)):
            return arn
        if service == "states" and b'"taskToken"' in body:
            return _MACHINE_OF_TOKEN[json.loads(body)["taskToken"]]
        return str(extract(service, method, path, *request))

    iam_actions.extract_resource_arn = resource_of


def _of_export_or_import(request: dict[str, Any], region: str, account: str) -> str | None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html"""
    if created := request.get("TableCreationParameters"):
        return f"arn:aws:dynamodb:{region}:{account}:table/{created['TableName']}"
    return next((request[name] for name in ("ExportArn", "ImportArn") if name in request), None)


def _give_machines_their_roles(evaluate: Evaluate) -> None:
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import stepfunctions

    role = contextvars.ContextVar("role", default="")
    machine_arn = contextvars.ContextVar("machine_arn", default="")

    def check(resource: str, arguments: dict[str, Any]) -> None:
        for action, arn in needed(resource, arguments, get_region(), get_account_id()):
            policies = iam_evaluator._gather_role_policies(role.get().split("/")[-1], get_account_id())
            context = iam_evaluator.EvalContext(
                principal_arn=role.get(), principal_type="AssumedRole", principal_account=get_account_id(),
                action=action, resource_arn=arn, region=get_region(), secure_transport=True,
            )  # fmt: skip
            if evaluate(context, policies).decision != "Allow":
                message = f"{role.get()} is not authorized to perform: {action} on {arn}"
                raise stepfunctions._ExecutionError("States.Permissions", message)

    def taking_role(original: Callable[..., Any]) -> Callable[..., Any]:
        def execute_task(state: Any, raw_input: Any, execution: dict[str, Any], context: Any) -> Any:
            machine_arn.set(execution["stateMachineArn"])
            role.set(stepfunctions._state_machines.get(machine_arn.get(), {}).get("roleArn", ""))
            return original(state, raw_input, execution, context)

        return execute_task

    def checked(original: Callable[..., Any]) -> Callable[..., Any]:
        def invoke(resource: str, arguments: dict[str, Any], *rest: Any) -> Any:
            if original is call_back:
                _MACHINE_OF_TOKEN[rest[0]] = machine_arn.get()
            _asking(check)(resource, arguments)
            return original(resource, arguments, *rest)

        return invoke

    call_back = stepfunctions._invoke_with_callback
    stepfunctions._execute_task = taking_role(stepfunctions._execute_task)
    stepfunctions._invoke_resource = checked(stepfunctions._invoke_resource)
    stepfunctions._invoke_with_callback = checked(call_back)


def needed(resource: str, arguments: dict[str, Any], region: str, account: str) -> list[tuple[str, str]]:
    """Actions and resources that a task of a state machine needs."""
    kind = resource.rsplit(":::", maxsplit=1)[-1]
    if kind.startswith("aws-sdk:rds:"):
        return _needed_of_rds(kind.rsplit(":", 1)[-1], arguments, f"arn:aws:rds:{region}:{account}")
    if "dynamodb:" in kind:
        return _needed_of_dynamodb(kind, arguments, f"arn:aws:dynamodb:{region}:{account}")
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


def _needed_of_dynamodb(kind: str, arguments: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    if kind == "aws-sdk:dynamodb:exportTableToPointInTime":  # DynamoDB writes with the machine's identity
        file = f"arn:aws:s3:::{arguments['S3Bucket']}/{arguments['S3Prefix']}/AWSDynamoDB/some/data/some.json.gz"
        written = [(f"s3:{action}", file) for action in ("PutObject", "PutObjectAcl")]
        return [("dynamodb:ExportTableToPointInTime", arguments["TableArn"]), *written]
    if kind.startswith("dynamodb:getItem"):
        return [("dynamodb:GetItem", f"{prefix}:table/{arguments['TableName']}")]
    raise NotImplementedError(f"which permissions does {kind} need?")


def _needed_of_rds(operation: str, arguments: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    action = f"rds:{operation[0].upper()}{operation[1:]}"
    instances = [arguments["DbInstanceIdentifier"]] if "DbInstanceIdentifier" in arguments else []
    keys = ("DbSnapshotIdentifier", "SourceDbSnapshotIdentifier", "TargetDbSnapshotIdentifier")
    snapshots = [arguments[key] for key in keys if key in arguments]
    return [(action, f"{prefix}:db:{name}") for name in instances] + [
        (action, f"{prefix}:snapshot:{name}") for name in snapshots
    ]


if os.environ.get("E2E_CALLS") and "local.aws.emulator" in sys.orig_argv:
    _install(os.environ["E2E_CALLS"])
