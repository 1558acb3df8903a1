"""What provisioning hands to functions and machines is what they ask for, no more and no less."""

import json

import pytest

from local import provision
from local.aws import names
from local.provision import Keys
from shared import catalogue, render
from shared.settings import Settings, from_environment

KEYS = Keys(shared="arn:aws:kms:ap-southeast-2:111111111111:key/a", own="arn:aws:kms:ap-southeast-2:222222222222:key/b")
ENVIRONMENT = provision._environment("http://127.0.0.1:4566", KEYS, "Z1")
GIVEN_BY_LAMBDA = {"AWS_REGION": names.REGION}


def test_functions_find_every_setting():
    settings = from_environment(ENVIRONMENT | GIVEN_BY_LAMBDA)
    assert settings.queue_url("site-data") == "http://127.0.0.1:4566/222222222222/tst-anstead-sqs-bua-site-data"
    assert settings.machine_arn("bua") == "arn:aws:states:ap-southeast-2:222222222222:stateMachine:tst-anstead-bua"
    assert settings.interval_role_arn == "arn:aws:iam::111111111111:role/tst-earl-role-bua-interval-read"
    assert settings.kms_key_arn == KEYS.own


def test_no_variable_is_given_that_nobody_reads():
    read = {field.alias for field in Settings.model_fields.values()}
    given = {name for name in ENVIRONMENT if not name.startswith("POWERTOOLS_")}
    assert given <= read
    assert {field.alias for field in Settings.model_fields.values() if field.is_required()} <= given | set(
        GIVEN_BY_LAMBDA
    )


@pytest.mark.parametrize("function", sorted(catalogue.load().functions))
def test_names_of_functions_and_queues(function):
    assert names.function_name(function) == f"tst-anstead-lambda-bua-{function}"
    assert names.queue_name(function) == f"tst-anstead-sqs-bua-{function}"


class Recorded:
    """Clients that only remember the machines that they are asked to create."""

    def __init__(self):
        self.machines = {}

    def __call__(self, account, _service):
        recorder = self

        class Client:
            def create_role(self, **_):
                return {"Role": {"Arn": f"arn:aws:iam::{names.ACCOUNTS[account]}:role/x"}}

            def put_role_policy(self, **_):
                pass

            def create_state_machine(self, name, definition, **_):
                recorder.machines[name] = (account, json.loads(definition))

        return Client()


def test_every_machine_of_the_catalogue_is_rendered_for_its_account():
    clients = Recorded()
    provision._create_machines(clients, "http://127.0.0.1:4566", KEYS, "arn:aws:sns:ap-southeast-2:111111111111:t")
    entries = catalogue.load()
    prefixes = {"EARL": names.EARL_PREFIX, "ANSTEAD": names.PREFIX}
    assert {name: account for name, (account, _) in clients.machines.items()} == {
        f"{prefixes[machine.account]}-{machine.step}": machine.account for machine in entries.state_machines
    }
    for _, definition in clients.machines.values():
        assert not render.PLACEHOLDER.search(json.dumps(definition))
    assert KEYS.shared in json.dumps(clients.machines["tst-earl-snapshot"][1])
