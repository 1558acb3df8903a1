"""The comparison of what roles did with what they are granted, on a role with three grants."""

import json

import pytest
from tests.e2e import privileges

ROLE = "tst-role"
QUEUE = "arn:aws:sqs:ap-southeast-2:222222222222:work"


@pytest.fixture
def state(tmp_path):
    """Terraform's state with a role that may send to one queue, receive from any, and read dated snapshots."""
    statements = [
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE},
        {"Effect": "Allow", "Action": ["sqs:ReceiveMessage"], "Resource": ["*"]},
        {
            "Effect": "Allow",
            "Action": "rds:DescribeDBSnapshots",
            "Resource": "arn:aws:rds:r:1:snapshot:core-????-??-??",
        },
        {"Effect": "Deny", "Action": "sqs:DeleteMessage", "Resource": "*"},
    ]
    policy = {"role": ROLE, "policy": json.dumps({"Statement": statements})}
    path = tmp_path / "terraform.tfstate"
    resources = [{"type": "aws_iam_role_policy", "instances": [{"attributes": policy}]}]
    path.write_text(json.dumps({"resources": resources}))
    return path


@pytest.fixture
def calls(tmp_path):
    """Writes a recording: (action, resource, decision) of the role."""

    def write(*made):
        path = tmp_path / "calls.jsonl"
        keys = ("action", "resource", "decision")
        path.write_text(
            "".join(json.dumps({"role": ROLE} | dict(zip(keys, call, strict=True))) + "\n" for call in made)
        )
        return path

    return write


def test_a_grant_is_used_only_on_a_resource_that_it_names(state, calls):
    recording = calls(
        ("sqs:SendMessage", QUEUE + "-other", "Allow"),
        ("sqs:ReceiveMessage", QUEUE, "Allow"),
        ("rds:DescribeDBSnapshots", "arn:aws:rds:r:1:snapshot:core-2026-11-01-shared", "Allow"),
    )
    assert privileges.unexplained(privileges.grants(recording, [state])) == [
        f"{ROLE}: rds:DescribeDBSnapshots on arn:aws:rds:r:1:snapshot:core-????-??-??",
        f"{ROLE}: sqs:SendMessage on {QUEUE}",
    ]


def test_a_wildcard_stands_for_one_character_or_any(state, calls):
    recording = calls(("rds:DescribeDBSnapshots", "arn:aws:rds:r:1:snapshot:core-2026-11-01", "Allow"))
    found = {grant.action: grant.seen for grant in privileges.grants(recording, [state])}
    assert found == {"rds:DescribeDBSnapshots": 1, "sqs:SendMessage": 0, "sqs:ReceiveMessage": 0}


def test_a_call_that_one_policy_allows_and_another_does_not_mention_is_allowed(calls):
    """A queue's own policy need not name the role; but what is denied anywhere is denied."""
    assert (
        privileges.denied(calls(("sqs:SendMessage", QUEUE, "ImplicitDeny"), ("sqs:SendMessage", QUEUE, "Allow"))) == []
    )
    refused = [f"{ROLE}: sqs:SendMessage on {QUEUE}"]
    assert privileges.denied(calls(("sqs:SendMessage", QUEUE, "Allow"), ("sqs:SendMessage", QUEUE, "Deny"))) == refused
    assert privileges.denied(calls(("sqs:SendMessage", QUEUE, "ImplicitDeny"))) == refused


def test_a_reason_that_excuses_nothing_is_found(state, calls, monkeypatch):
    reasons = {
        r".*: sqs:SendMessage on .*": "when a message is given up",
        r".*: sqs:ReceiveMessage on .*": "seen after all",
        r".*: sqs:PurgeQueue on .*": "never granted",
    }
    monkeypatch.setattr(privileges, "UNSEEN", reasons)
    found = privileges.grants(calls(("sqs:ReceiveMessage", QUEUE, "Allow")), [state])
    assert privileges.idle(found) == [r".*: sqs:ReceiveMessage on .*", r".*: sqs:PurgeQueue on .*"]
    assert [grant.reason for grant in found] == ["", "", "when a message is given up"]


def test_a_key_is_used_where_the_service_is_that_it_is_granted_for(tmp_path, calls):
    key = "arn:aws:kms:r:1:key/1"
    through = {"StringEquals": {"kms:ViaService": ["sqs.r.amazonaws.com", "s3.r.amazonaws.com"]}}
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key, "Condition": through}
    policy = {"role": ROLE, "policy": json.dumps({"Statement": [statement]})}
    state = tmp_path / "keys.tfstate"
    state.write_text(
        json.dumps({"resources": [{"type": "aws_iam_role_policy", "instances": [{"attributes": policy}]}]})
    )
    found = privileges.grants(calls(("sqs:SendMessage", QUEUE, "Allow")), [state])
    assert {grant.resource: grant.seen for grant in found} == {f"{key} via sqs": 1, f"{key} via s3": 0}
