"""The handlers themselves, from the event that AWS sends to what they leave behind."""

import io
import json
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from tests.cloud import ENVIRONMENT, messages

from lambdas.controller_fast import handler as controller_fast
from lambdas.controller_slow import handler as controller_slow
from lambdas.next import handler as next_handler
from lambdas.notify import handler as notify_handler
from lambdas.site_basic import handler as site_basic
from lambdas.site_initiate import handler as site_initiate
from shared import context as context_module
from shared import telemetry
from shared.errors import DatabaseUnavailable, InvalidInput, RunDateRefused
from shared.paths import ROOT
from shared.steps import notify
from shared.work import fanout, items, queue
from shared.work.messages import FanOut

RUN_DATE = date(2026, 11, 1)
SQS_EVENT = ROOT / "tests" / "events" / "sqs.json"
SNAPSHOT = "arn:aws:rds:ap-southeast-2:111111111111:snapshot:tst-earl-core-bua-2026-11-01-shared"


@dataclass
class LambdaContext:
    """What powertools and the handlers read of it."""

    function_name: str = "tst-anstead-lambda-bua-test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:ap-southeast-2:123456789012:function:test"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 180_000


def sqs_event(*bodies: str, receive_count: int = 1) -> dict:
    """What an event source mapping hands over: tests/events/sqs.json with a record for every body."""
    event = json.loads(SQS_EVENT.read_text(encoding="utf-8"))
    (record,) = event["Records"]
    attributes = record["attributes"] | {"ApproximateReceiveCount": str(receive_count)}
    event["Records"] = [
        record | {"messageId": f"message-{number}", "body": body, "attributes": attributes}
        for number, body in enumerate(bodies)
    ]
    return event


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    context_module._lasting.cache_clear()


@pytest.fixture
def invocation(monkeypatch, context):
    """Handlers build this context instead of one from the environment."""
    monkeypatch.setattr(context_module, "build", lambda _environ, _lambda_context: context)
    return context


class TestController:
    @pytest.mark.parametrize("module", [controller_fast, controller_slow])
    @pytest.mark.usefixtures("invocation")
    def test_performs_the_action_that_is_named(self, module):
        event = {"action": "run.begin", "execution": "exec:run", "input": {"run_date": "2026-11-01"}}
        assert module.lambda_handler(event, LambdaContext())["run_date"] == "2026-11-01"

    def test_raises_under_the_name_that_the_state_machine_matches(self, invocation):
        invocation.ledger.set_current({"run_date": RUN_DATE})
        event = {"action": "step.begin", "step": "nem12", "execution": "e", "input": {"run_date": "2026-10-01"}}
        with pytest.raises(RunDateRefused):
            controller_fast.lambda_handler(event, LambdaContext())

    @pytest.mark.usefixtures("cloud")
    def test_an_incomplete_environment_is_named(self, monkeypatch):
        monkeypatch.delenv("BUCKET")
        with pytest.raises(InvalidInput, match="BUCKET: Field required"):
            controller_fast.lambda_handler({"action": "run.begin"}, LambdaContext())

    @pytest.mark.usefixtures("invocation")
    def test_logs_json_that_names_the_run(self, monkeypatch, capsys):
        stream = io.StringIO()
        monkeypatch.setattr(telemetry.logger.registered_handler, "stream", stream)
        controller_fast.lambda_handler({"action": "export.clear_csv", "run_date": "2026-11-01"}, LambdaContext())
        (logged,) = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert (logged["run_date"], logged["action"], logged["result"]) == (
            "2026-11-01",
            "export.clear_csv",
            {"removed": 0},
        )
        metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "ActionsStarted" in line]
        assert metrics[0]["ActionsStarted"] == [1.0]


def fail_on_batch_2(connection, work, perform):
    if work.batch_no == 2:
        raise DatabaseUnavailable("gone")


class TestSite:
    @pytest.fixture
    def fanned_out(self, run_database, database, invocation):
        database.dsn_of = run_database.dsn_of
        with run_database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("insert into core.plan values ('FLAT')")
            cursor.execute(
                "insert into core.account values ('A1', 'ELECTRICITY', 'RES', 'NSW', 'MASS', 'FLAT', '2026-01-01', null, 91)"
            )
            connection.commit()
        fan_out = FanOut(
            run_date=RUN_DATE, run_type="ResetBasicRead", step="reset-basicreads", attempt="a", task_token="token",
            max_errors=0, acceptable_error_rate=0,
        )  # fmt: skip
        assert site_initiate.lambda_handler(sqs_event(fan_out.model_dump_json()), LambdaContext()) == {
            "batchItemFailures": []
        }
        (message,) = messages(invocation.settings.queue_url("site-basic"))
        return fan_out, message["Body"]

    def test_works_a_message_off(self, invocation, fanned_out):
        fan_out, body = fanned_out
        assert site_basic.lambda_handler(sqs_event(body), LambdaContext()) == {"batchItemFailures": []}
        assert fanout._take_stock(invocation, fan_out).done == 1

    def test_reports_only_the_message_that_failed(self, monkeypatch, fanned_out):
        _, body = fanned_out
        monkeypatch.setattr(queue.clients.client("sqs"), "change_message_visibility", lambda **_given: None)
        other = body.replace('"batch_no":1', '"batch_no":2')
        monkeypatch.setattr(items, "work_off", fail_on_batch_2)
        answer = site_basic.lambda_handler(sqs_event(body, other), LambdaContext())
        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}

    def test_gives_up_with_its_cause_at_the_last_receive(self, invocation, fanned_out, database):
        fan_out, body = fanned_out
        database.is_down = True
        answer = site_basic.lambda_handler(sqs_event(body, receive_count=3), LambdaContext())
        assert answer == {"batchItemFailures": []}
        database.is_down = False
        counts = fanout._take_stock(invocation, fan_out)
        assert (counts.fail, counts.pending) == (1, 0)
        with database.session(9) as connection, connection.cursor() as cursor:
            cursor.execute("select reason from bua.bua_control")
            assert cursor.fetchone() == ("DatabaseUnavailable: down",)

    def test_what_no_retry_can_cure_is_given_up_at_once(self, invocation, fanned_out):
        _, body = fanned_out
        foreign = body.replace("ResetBasicRead", "MicroScalar")
        answer = site_basic.lambda_handler(sqs_event(foreign, "nonsense"), LambdaContext())
        assert answer == {"batchItemFailures": []}
        letters = messages(invocation.settings.dead_letter_url("site-basic"))
        causes = [letter["MessageAttributes"]["cause"]["StringValue"] for letter in letters]
        assert sorted(cause.split(":")[1] for cause in causes) == [
            " Work",
            " run type MicroScalar is not one of site-basic",
        ]

    def test_a_dead_letter_that_is_no_work_is_dropped(self, invocation, fanned_out):
        fan_out, _ = fanned_out
        site_basic.lambda_handler(sqs_event("nonsense"), LambdaContext())
        assert fanout._take_stock(invocation, fan_out).pending == 1
        assert messages(invocation.settings.dead_letter_url("site-basic")) == []


class TestFanOutsThatFail:
    """What planning or counting fails with reaches the waiting state; else it would wait for its heartbeat."""

    fan_out = FanOut(
        run_date=RUN_DATE, run_type="MicroScalar", step="microscalar", attempt="a", task_token="token",
        max_errors=0, acceptable_error_rate=0,
    )  # fmt: skip

    @pytest.mark.parametrize("module", [site_initiate, next_handler])
    @pytest.mark.usefixtures("invocation")
    def test_permanently(self, states, module):
        event = sqs_event(self.fan_out.model_dump_json())  # no database is restored
        assert module.lambda_handler(event, LambdaContext()) == {"batchItemFailures": []}
        error, cause = states.failed["token"]
        assert error == "NoCurrentRun"
        assert "no database is restored" in cause

    @pytest.mark.parametrize("module", [site_initiate, next_handler])
    @pytest.mark.usefixtures("invocation")
    def test_too_often(self, database, states, module):
        database.is_down = True
        event = sqs_event(self.fan_out.model_dump_json(), receive_count=3)
        assert module.lambda_handler(event, LambdaContext()) == {"batchItemFailures": []}
        assert states.failed["token"][0] == "DatabaseUnavailable"

    @pytest.mark.usefixtures("context")
    def test_an_error_that_may_pass_is_tried_again_soon(self, monkeypatch, settings):
        changed = []
        sqs = SimpleNamespace(change_message_visibility=lambda **given: changed.append(given))
        monkeypatch.setattr(queue.clients, "client", lambda _service: sqs)
        on_error = queue.try_again_or(settings, "next", lambda _record, _error: pytest.fail("given up"))
        for received, least, most in ((1, 30, 90), (2, 60, 180)):
            record = SQSRecord(sqs_event("x", receive_count=received)["Records"][0])
            assert on_error(record, DatabaseUnavailable("down")) is False
            assert least <= changed[-1]["VisibilityTimeout"] <= most


class TestNotify:
    @pytest.fixture
    def announce(self, monkeypatch, states):
        monkeypatch.setattr(notify_handler, "clients", SimpleNamespace(client=lambda _service: states))

        def announce(message: str) -> dict:
            envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:x:1:t", "Message": message}
            return notify_handler.lambda_handler(sqs_event(json.dumps(envelope)), LambdaContext())

        return announce

    def test_starts_the_run_once_however_often_it_is_told(self, states, announce):
        message = json.dumps({"run_date": "2026-11-01", "snapshot_arn": SNAPSHOT})
        for _ in range(2):
            assert announce(message) == {"batchItemFailures": []}
        assert {name: json.loads(given) for name, given in states.started.items()} == {
            "announced-2026-11-01": {"run_date": "2026-11-01", "snapshot_arn": SNAPSHOT}
        }

    @pytest.mark.parametrize(
        "given",
        [
            {"interval_export": {
                "arn": "arn:aws:dynamodb:ap-southeast-2:111111111111:table/tst-earl-ddb-interval/export/0179-abc",
                "bucket": "tst-earl-s3-bua-interval-export", "prefix": "2026-11-01", "moment": "2026-10-31T13:00:12.345Z",
            }},
            {"no_interval_export": "DynamoDb.PointInTimeRecoveryUnavailableException: not enabled"},
        ],
        ids=["export", "no-export"],
    )  # fmt: skip
    def test_hands_the_export_of_the_interval_reads_on_or_why_there_is_none(self, states, announce, given):
        other = {"interval_export": None, "no_interval_export": None} | given  # as EARL's machine writes it
        message = {"run_date": "2026-11-01", "snapshot_arn": SNAPSHOT}
        assert announce(json.dumps(message | other)) == {"batchItemFailures": []}
        (started,) = states.started.values()
        assert json.loads(started) == message | given

    @pytest.mark.parametrize(
        "message",
        [
            "not json",
            json.dumps({"run_date": "2026-11-01", "snapshot_arn": SNAPSHOT, "interval_export": {"arn": "x"}}),
            json.dumps({"run_date": "2026-13-01", "snapshot_arn": SNAPSHOT}),
            json.dumps({"run_date": "2026-11-01", "snapshot_arn": "tst-earl-core-bua-2026-11-01-shared"}),
        ],
    )
    def test_nonsense_goes_to_the_dead_letters(self, states, announce, message):
        assert announce(message) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
        assert states.started == {}

    def test_the_envelope_is_sns_own(self):
        assert notify.Envelope.model_validate({"Message": "m", "TopicArn": "t", "Signature": "s"}).message == "m"
