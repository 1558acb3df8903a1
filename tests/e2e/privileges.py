"""What roles are granted by Terraform, and what they did in a run: nothing denied, nothing granted in vain."""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

# Granted, and not seen in an undisturbed run on the emulator: "role: action on resource", each with its reason.
UNSEEN = {
    # What a service does on a role's behalf, which the emulator does without asking IAM.
    r".*-lambda-[\w-]+: logs:(CreateLogStream|PutLogEvents) on .*": "Lambda writes the function's log",
    r".*-machine-[\w-]+: logs:((Create|Get|Update|Delete)LogDelivery|ListLogDeliveries|PutResourcePolicy"
    r"|DescribeResourcePolicies|DescribeLogGroups) on \*": "Step Functions sets its log's delivery up",
    r".*-(lambda|machine)-[\w-]+: xray:Put(TraceSegments|TelemetryRecords) on \*": "traces",
    r".*-machine-[\w-]+: xray:GetSampling(Rules|Targets) on \*": "Step Functions asks how much to trace",
    r".*-lambda-[\w-]+: ec2:((Create|Delete)NetworkInterface|DescribeNetworkInterfaces|DescribeSubnets"
    r"|(Assign|Unassign)PrivateIpAddresses) on \*": "Lambda's network interfaces",
    r".*-lambda-[\w-]+: sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes|ChangeMessageVisibility)"
    r" on .*-sqs-bua-(?!.*-dlq)[a-z0-9-]+": "the event source mapping works its queue",
    r".*-lambda-[\w-]+: kms:(Decrypt|GenerateDataKey) on .* via sqs": "the event source mapping reads encrypted messages",
    r".*-controller-fast: rds:(RestoreDBInstanceFromDBSnapshot|AddTagsToResource|ListTagsForResource|DescribeDBInstances"
    r"|ModifyDBInstance|RebootDBInstance|DeleteDBInstance) on .*:(db|snapshot|subgrp|pg|og):.*": "CloudFormation does it for the caller",
    r".*-controller-fast: cloudwatch:(PutMetricAlarm|DeleteAlarms|DescribeAlarms) on .*": "CloudFormation makes the alarms",
    r".*-controller-fast: rds:DescribeEvents on \*": "CloudFormation looks for the reason when an instance fails",
    r".*-machine-snapshot: rds:AddTagsToResource on .*": "asked where production copies its tags to its snapshots",
    r".*-controller-fast: cloudformation:TagResource on .*": "asked by AWS when a stack is created with tags",
    r".*-role-bua-interval-read: (dynamodb:Query|kms:Decrypt) on .*": "where there is no export, production's table is read",
    r".*-lambda-site-data: sts:AssumeRole on .*-interval-read": "the same",
    # Schedules do not fire in a test that lasts minutes; both of their machines are started as they do it.
    r".*-scheduler: (states:StartExecution|sqs:SendMessage|kms:Decrypt|kms:GenerateDataKey) on .*": "the schedules",
    r".*-controller-fast: rds:CopyDBSnapshot on .*-shared": "the emulator asks for the copy alone, AWS for the original too",
    # Failure paths.
    r".*-controller-fast: cloudformation:DescribeStackEvents on .*": "when a stack has failed, for its reason",
    r".*-controller-fast: states:DescribeExecution on .*": "when somebody else holds the lock",
    r".*-controller-(fast|slow): s3:DeleteObject on .*": "when an earlier attempt left files",
    r".*-lambda-site-[\w-]+: sqs:SendMessage on .*-dlq": "when a message is given up",
    r".*-controller-slow: s3:GetObject on .*/export/booked/.*": "when a run before is kept, or this one already",
    r".*-controller-slow: sns:Publish on .*": "when the report could not be made",
    r".*-controller-slow: kms:(Decrypt|GenerateDataKey) on .* via sns": "the same",
    r".*-lambda-report: s3:GetObject on .*/finance/finance.yaml": "when finance keeps parameters of its own",
    r".*: s3:AbortMultipartUpload on .*": "when an upload ends half way",
    r".*-machine-\w+: states:StopExecution on .*": "when a parent is stopped while its child runs",
    r".*-lambda-next: sqs:DeleteMessage on .*-dlq": "when a message was given up",
    r".*-lambda-next: sqs:SendMessage on .*-sqs-bua-site-[a-z0-9]+": "its items are then sent again, one by one",
    r".*-site-initiate: sqs:SendMessage on .*-site-initiate": "when planning outlasts an invocation",
    r".*-(next|site-initiate): states:SendTaskFailure on .*": "when a fan-out fails",
}

# The same, of what is seen in some runs and not in others.
SOMETIMES = {
    r".*-(next|site-initiate): states:SendTaskHeartbeat on .*": "when a fan-out or its planning lasts",
}


def denied(calls: Path) -> list[str]:
    """Calls of roles that were refused, each once."""
    decisions: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for call in _read(calls):
        decisions[call["role"], call["action"], call["resource"]].add(call["decision"])
    # A resource's own policy is evaluated as well and need not name the role: one Allow is enough, unless there is a Deny.
    refused = [call for call, made in decisions.items() if "Deny" in made or "Allow" not in made]
    return [
        f"{role}: {action} on {resource}" for role, action, resource in sorted(refused) if not role.endswith(":root")
    ]


@dataclass(frozen=True)
class Grant:
    """One action on one resource that a role is allowed, how often it was seen, and why not if it was not."""

    role: str
    action: str
    resource: str
    seen: int
    reason: str


def grants(calls: Path, states: Iterable[Path]) -> list[Grant]:
    """Everything that Terraform grants to roles, beside what they did."""
    used: dict[tuple[str, str], list[str]] = defaultdict(list)
    for call in _read(calls):
        used[call["role"], call["action"].lower()].append(call["resource"])
    found = []
    for role, action, pattern in sorted(granted(states)):
        if " via " in pattern:  # a key, of which the emulator does not ask: is the service used that it is granted for?
            service = pattern.rsplit(" ", 1)[1]
            seen = sum(
                len(uses) for (who, what), uses in used.items() if who == role and what.startswith(f"{service}:")
            )
        else:
            seen = sum(_matches(pattern, resource) for resource in used[role, action.lower()])
        known = UNSEEN | SOMETIMES
        reasons = [known[grant] for grant in known if re.fullmatch(grant, f"{role}: {action} on {pattern}")]
        found.append(Grant(role, action, pattern, seen, "" if seen else "; ".join(reasons)))
    return found


def unexplained(found: Iterable[Grant]) -> list[str]:
    """Grants that were not seen and have no reason."""
    return [f"{g.role}: {g.action} on {g.resource}" for g in found if not g.seen and not g.reason]


def idle(found: Iterable[Grant]) -> list[str]:
    """Reasons that excuse nothing: what they are for is not granted any more, or is seen after all."""
    lines = [f"{grant.role}: {grant.action} on {grant.resource}" for grant in found if not grant.seen]
    return [known for known in UNSEEN if not any(re.fullmatch(known, line) for line in lines)]


def write(found: Iterable[Grant], path: Path) -> None:
    """The grants as CSV, for whoever audits them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([field.name for field in fields(Grant)])
        lines.writerows(astuple(grant) for grant in found)


def granted(states: Iterable[Path]) -> set[tuple[str, str, str]]:
    """Role, action and resource of every Allow in the inline policies of Terraform's states.

    A key that is granted for use through services alone is listed as "<ARN> via <service>", once for each.
    """
    return {
        (instance["attributes"]["role"], action, f"{resource}{through}")
        for state in states
        for made in json.loads(state.read_text(encoding="utf-8"))["resources"]
        if made["type"] == "aws_iam_role_policy"
        for instance in made["instances"]
        for statement in json.loads(instance["attributes"]["policy"])["Statement"]
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        for through in _through(statement)
    }


def _through(statement: dict[str, Any]) -> list[str]:
    """What a statement's condition on kms:ViaService appends to its resources."""
    services = _listed(statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", []))
    return [f" via {service.split('.')[0]}" for service in services] or [""]


def _listed(one_or_many: str | list[str]) -> list[str]:
    return [one_or_many] if isinstance(one_or_many, str) else one_or_many


def _matches(pattern: str, resource: str) -> bool:
    """IAM's wildcards: * is any text, ? one character. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""
    expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, resource) is not None


def _read(calls: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in calls.read_text(encoding="utf-8").splitlines()]
