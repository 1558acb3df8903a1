"""What roles are granted by Terraform, and what they did in a run: nothing denied, nothing granted in vain."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Granted, and not seen in an undisturbed run on the emulator: "role: action", each with its reason.
UNSEEN = {
    # Never asked by the emulator: its services do these on a role's behalf without IAM.
    r".*: (logs|xray|ec2):.*": "the service does it on the role's behalf (log, trace, network interface)",
    r".*: kms:.*": "asked by the service that encrypts, which the emulator does not imitate",
    r".*: sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes)": "the event source mapping does it on the role's behalf",
    r".*-controller-fast: rds:(RestoreDBInstanceFromDBSnapshot|AddTagsToResource|ListTagsForResource"
    r"|DescribeDBInstances|DeleteDBInstance)": "CloudFormation does it with the caller's permissions",
    r".*-controller-fast: cloudformation:TagResource": "asked when a stack is created with tags, by AWS alone",
    # Failure paths.
    r".*-controller-fast: cloudformation:DescribeStackEvents": "called when a stack has failed, for its reason",
    r".*-controller-fast: states:DescribeExecution": "called when somebody else holds the lock",
    r".*-controller-fast: s3:DeleteObject": "called when an earlier attempt left files",
    r".*-lambda-site-\w+: sqs:ChangeMessageVisibility": "called when an error may pass",
    r".*: sqs:ChangeMessageVisibility": "the event source mapping does it when a batch is refused",
    r".*-lambda-site-(basic|data|export|mscalar|nem12|prepare|segment): sqs:SendMessage": "called for dead letters",
    r".*: s3:AbortMultipartUpload": "called when an upload ends half way",
    r".*: states:StopExecution": "called when a parent is stopped while its child runs",
    r".*-(next|site-initiate): states:SendTaskFailure": "called when a fan-out fails",
    # Schedules do not fire in a test that lasts minutes; EARL's machine is started as its schedule does.
    r".*-(scheduler|machine-deadline): .*": "the schedules and the deadline's check do not run",
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


def unseen(calls: Path, states: Iterable[Path]) -> list[str]:
    """Actions that a role is granted and did not use, without those that have a reason."""
    used = {(call["role"], call["action"].lower()) for call in _read(calls)}
    roles = sorted(granted(states).items())
    vain = [
        f"{role}: {action}"
        for role, actions in roles
        for action in sorted(actions)
        if (role, action.lower()) not in used
    ]
    return [grant for grant in vain if not any(re.fullmatch(pattern, grant) for pattern in UNSEEN)]


def granted(states: Iterable[Path]) -> dict[str, set[str]]:
    """Actions by role, from the inline policies in Terraform's states."""
    actions: dict[str, set[str]] = defaultdict(set)
    for state in states:
        for resource in json.loads(state.read_text(encoding="utf-8"))["resources"]:
            if resource["type"] == "aws_iam_role_policy":
                for instance in resource["instances"]:
                    policy = json.loads(instance["attributes"]["policy"])
                    for statement in policy["Statement"]:
                        if statement["Effect"] == "Allow":
                            named = statement["Action"]
                            actions[instance["attributes"]["role"]] |= {named} if isinstance(named, str) else set(named)
    return actions


def _read(calls: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in calls.read_text(encoding="utf-8").splitlines()]
