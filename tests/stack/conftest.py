"""One local stack for the tests of the emulator: two accounts, provisioned, with an empty billing database."""

import io
import json
import time
import zipfile

import pytest

from local.aws import names
from local.stack import LocalStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory, host_zips):
    with LocalStack(tmp_path_factory.mktemp("stack"), heartbeat_seconds=2) as running:
        yield running


class Console:
    """What the tests do by hand in an account: make functions and machines of their own, run them, wait."""

    def __init__(self, stack, account):
        self.stack = stack
        self.account = account

    def client(self, service):
        return self.stack.client(self.account, service)

    def make_function(self, name, source):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr("handler.py", source)
        created = self.client("lambda").create_function(
            FunctionName=name, Runtime="python3.13", Handler="handler.handle", Timeout=30,
            Role=f"arn:aws:iam::{names.ACCOUNTS[self.account]}:role/any", Code={"ZipFile": archive.getvalue()},
        )  # fmt: skip
        return created["FunctionArn"]

    def run_machine(self, name, states, value=None):
        """Make a machine of these states, in their order, run it once and return the ended execution."""
        order = list(states)
        for state, following in zip(order, [*order[1:], None], strict=True):
            if states[state]["Type"] not in ("Fail", "Succeed", "Choice"):
                states[state].update({"Next": following} if following else {"End": True})
        definition = {"QueryLanguage": "JSONata", "StartAt": order[0], "States": states}
        machine = self.client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps(definition),
            roleArn=f"arn:aws:iam::{names.ACCOUNTS[self.account]}:role/any",
        )["stateMachineArn"]  # fmt: skip
        execution = self.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(value or {}))
        return self.ended(execution["executionArn"])

    def ended(self, execution):
        while True:
            found = self.client("stepfunctions").describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.1)


@pytest.fixture(scope="session")
def anstead(stack):
    return Console(stack, "ANSTEAD")


@pytest.fixture(scope="session")
def earl(stack):
    return Console(stack, "EARL")
