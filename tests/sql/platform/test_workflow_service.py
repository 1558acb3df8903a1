"""The workflow service on a real database, as its own role: what a schedule sets going, and reads imported."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import psycopg2
import pytest
from moto import mock_aws

from local.platform.engine import work_once
from local.platform.workflow import execute_schedules, handlers
from shared.metering.interval_store import DayReads, encode_day

RUN_DATE = date(2026, 11, 1)
PAYLOAD = {
    "run_date": "2026-11-01",
    "batch_no": 1,
    "accounts": [{"account_id": "1", "windows": [["2026-10-01", "2026-10-31"]]}],
}
TABLE = "tst-anstead-ddb-interval"


@pytest.fixture
def home(platform_database: Any) -> Any:
    """A committed database with an account in Sydney on a flat plan."""
    with platform_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            insert into core.plan values ('FLAT');
            insert into core.plan_item (plan_code, item_type, time_class, valid_from, rate)
            values ('FLAT', 'DAILY', 'ANYTIME', '2020-01-01', 1), ('FLAT', 'USAGE', 'ANYTIME', '2020-01-01', 0.3);
            insert into core.site values ('4103000001', 'ELECTRICITY', 'NSW', 'NODE');
            insert into core.account values ('1', 'ELECTRICITY', 'RES', 'NSW', 'MASS', 'FLAT', '2020-01-01', null, 91);
            insert into core.account_site values ('1', '4103000001', '2020-01-01');
            insert into core.meter values ('4103000001', 'M');
            insert into core.meter_register (site_id, meter_serial, register_id, suffix, stream_type, read_type, uom,
                start_date) values ('4103000001', 'M', '01', 'E1', 'PRIMARY', 'INTERVAL', 'KWH', '2020-01-01');
            """
        )
        connection.commit()
    return platform_database


@pytest.fixture
def service(home: Any) -> Iterator[Any]:
    """A connection of the service's role."""
    with home.connect("workflow") as connection:
        yield connection


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-southeast-2")
    with mock_aws():
        client = boto3.client("dynamodb")
        keys = ("pk", "HASH"), ("sk", "RANGE")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def ask(connection: Any, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def schedule(connection: Any, workflow: str, payload: dict[str, Any], **columns: Any) -> None:
    columns = {"workflow_name": workflow, "payload": json.dumps(payload), "run_date": RUN_DATE, **columns}
    ask(
        connection,
        f"insert into core.workflow_schedule ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))})",
        *columns.values(),
    )


def instances(connection: Any) -> list[tuple[str, str]]:
    return ask(connection, "select workflow_name, state from core.workflow_instance order by workflow_instance_id")


def test_a_schedule_sets_the_whole_invoicing_going(service: Any, dynamodb: Any) -> None:
    schedule(service, "GENERATE_ILI", PAYLOAD)
    with service:
        execute_schedules(service)
    while work_once(service, handlers(dynamodb, TABLE)):
        pass
    assert instances(service) == [
        ("GENERATE_ILI", "COMPLETE"),
        ("RUN_INVOICE_BATCH", "COMPLETE"),
        ("INVOICEGEN", "COMPLETE"),
    ]
    assert ask(service, "select invoice_id, net_amount::text, issued_date from core.invoice") == [
        ("BUA-2026-11-01-1", "31.00", RUN_DATE)
    ]


def test_schedules_execute_once_when_enabled_and_due(service: Any) -> None:
    schedule(service, "INVOICEGEN", PAYLOAD)
    schedule(service, "RUN_INVOICE_BATCH", PAYLOAD, is_enabled=False)
    schedule(service, "RUN_INVOICE_BATCH", PAYLOAD, due_at="2999-01-01")
    for _ in range(2):
        with service:
            execute_schedules(service)
    assert ask(service, "select workflow_name, run_date, payload from core.workflow_instance") == [
        ("INVOICEGEN", RUN_DATE, PAYLOAD)
    ]
    assert ask(service, "select count(*) from core.workflow_schedule where executed_at is not null") == [(1,)]


def test_a_failure_is_recorded_and_leaves_nothing(service: Any, dynamodb: Any) -> None:
    wrong = json.loads(json.dumps(PAYLOAD).replace('"account_id": "1"', '"account_id": "7"'))
    schedule(service, "GENERATE_ILI", wrong)
    with service:
        execute_schedules(service)
    assert work_once(service, handlers(dynamodb, TABLE))
    assert instances(service) == [("GENERATE_ILI", "FAILED")]
    [(message,)] = ask(service, "select message from core.workflow_exception")
    assert "there is no account 7" in message
    assert ask(service, "select count(*) from core.billable_quantity") == [(0,)]


def test_import_takes_the_runs_files_alone(service: Any, dynamodb: Any) -> None:
    def store(day: int, values: int, quality_runs: str, **origin: Any) -> None:
        reads = DayReads(
            nmi="4103000001", suffix="E1", day=date(2026, 7, day), interval_minutes=30, scale=3, values=[values] * 48,
            quality_runs=quality_runs, uom="KWH", file="f", updated="2026-11-01T00:00:00", **origin,
        )  # fmt: skip
        dynamodb.put_item(TableName=TABLE, Item=encode_day(reads))

    ours = {"run_date": RUN_DATE, "origin": "BUA"}
    store(15, 250, "1-40:A,41-48:E57", **ours)
    store(16, 500, "1-48:E57", **ours)
    store(17, 125, "1-48:S55", **ours)
    store(18, 9999, "1-48:E57", run_date=date(2026, 10, 1), origin="BUA")  # last month's run
    store(19, 9999, "1-48:E57")  # nobody's, delivered
    reads = [{"nmi": "4103000001", "suffix": "E1", "from": "2026-07-15", "to": "2026-07-19"}]
    ask(
        service,
        "insert into core.workflow_instance (workflow_name, payload, run_date) values ('IMPORT_NEM12', %s, %s)",
        *(json.dumps({"run_date": "2026-11-01", "reads": reads}), RUN_DATE),
    )
    assert work_once(service, handlers(dynamodb, TABLE))
    assert instances(service) == [("IMPORT_NEM12", "COMPLETE")]
    assert ask(
        service,
        "select from_date, time_class, read_state, quantity::text, origin, run_date from core.aggregated_read order by 1, 3",
    ) == [
        (date(2026, 7, 15), "ANYTIME", "ACTUAL", "10.00", "BUA", RUN_DATE),
        (date(2026, 7, 15), "ANYTIME", "ESTIMATED", "2.00", "BUA", RUN_DATE),
        (date(2026, 7, 16), "ANYTIME", "ESTIMATED", "24.0", "BUA", RUN_DATE),
        (date(2026, 7, 17), "ANYTIME", "ACTUAL", "6.000", "BUA", RUN_DATE),
    ]


def test_warming_and_calculations_run_through_the_engine(bua_database: Any, dynamodb: Any) -> None:
    with bua_database.connect("workflow") as connection:
        raised = [
            ("WARM_TABLE", {"relation": "core.account"}),
            ("WARM_PARTITION", {"relation": "core.aggregated_read_2026"}),
            ("WARM_INDEX", {"relation": "core.account_pkey"}),
            ("WARM_PARTITION", {"relation": "core.account"}),
        ]
        for name, payload in raised:
            ask(
                connection,
                "insert into core.workflow_instance (workflow_name, payload) values (%s, %s)",
                *(name, json.dumps(payload)),
            )
        while work_once(connection, handlers(dynamodb, TABLE)):
            pass
        assert [state for _, state in instances(connection)] == ["COMPLETE", "COMPLETE", "COMPLETE", "FAILED"]
        [(message,)] = ask(connection, "select message from core.workflow_exception")
        assert "is not a partition" in message


@pytest.fixture
def environment(home: Any) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": "src",
        "DATABASE_HOST": home.host,
        "DATABASE_PORT": str(home.port),
        "DATABASE_NAME": home.name,
        "DATABASE_USER": "workflow",
        "DATABASE_PASSWORD": psycopg2.extensions.parse_dsn(home.dsn)["password"],
        "INTERVAL_TABLE": TABLE,
        "AWS_DEFAULT_REGION": "ap-southeast-2",
    }


def test_the_process_takes_up_what_was_abandoned_and_stops_on_sigterm(
    service: Any, environment: dict[str, str], pytestconfig: pytest.Config
) -> None:
    ask(
        service,
        "insert into core.workflow_instance (workflow_name, payload, run_date, state) values ('INVOICEGEN', %s, %s, 'RUNNING')",
        *(json.dumps(PAYLOAD), RUN_DATE),
    )
    schedule(service, "GENERATE_ILI", PAYLOAD)
    command = [sys.executable, "-m", "local.platform.workflow"]
    with subprocess.Popen(
        command, cwd=pytestconfig.rootpath, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                states = instances(service)
                if len(states) >= 3 and {state for _, state in states} == {"COMPLETE"}:
                    break
                time.sleep(0.1)
        finally:
            process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert states[0] == ("INVOICEGEN", "COMPLETE"), log
    assert ask(service, "select net_amount::text from core.invoice") == [("31.00",)]
