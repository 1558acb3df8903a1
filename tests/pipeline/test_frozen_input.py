"""Production goes on after the snapshot, and a run that is repeated does not see it: same rows, to the byte.

Segments are what is made of the interval reads. The tests go on from each other's state, in their order.
"""

import io
import json
import time
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from tests.pipeline.conftest import RUN_DATE, Month, failure

from local.aws import names

TABLES = ("utility_profile", "segment_profile", "macro_profile", "utility_profile_summary")
RUN_TABLE = f"{names.RUN_INTERVAL_TABLE}{RUN_DATE}"
FIRST: dict[str, bytes] = {}


def rows(month: Month) -> dict[str, bytes]:
    """Each table as PostgreSQL writes it, sorted."""
    found = {}
    with closing(psycopg2.connect(month.stack.run_dsn())) as connection, connection.cursor() as cursor:
        for table in TABLES:
            text = io.BytesIO()
            cursor.copy_expert(f"copy (select t::text from bua.{table} t order by 1) to stdout", text)
            found[table] = text.getvalue()
    return found


def inputs(month: Month) -> list[str]:
    """The tables that the sites' reads were taken from."""
    with closing(psycopg2.connect(month.stack.run_dsn())) as connection, connection.cursor() as cursor:
        cursor.execute("select distinct interval_table from bua.utility_profile_log")
        return [table for (table,) in cursor.fetchall()]


@pytest.fixture(scope="module")
def announced(month: Month) -> dict[str, Any]:
    """What EARL's machine announces. Nobody hears it: the tests start the run by hand, with a part of its steps."""
    functions = month.stack.client("ANSTEAD", "lambda")
    (notify,) = functions.list_event_source_mappings(FunctionName=names.function_name("notify"))["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=notify["UUID"], Enabled=False)
    states, execution = month.stack.client("EARL", "stepfunctions"), month.stack.start_month(RUN_DATE)
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.2)
    assert found["status"] == "SUCCEEDED", failure(found)
    output: dict[str, Any] = json.loads(found["output"])
    return {"snapshot_arn": output["snapshot_arn"], "interval_export": output["interval_export"]}


@pytest.fixture(scope="module")
def first(month: Month, announced: dict[str, Any]) -> dict[str, bytes]:
    """The rows of the first run."""
    if not FIRST:
        run(month, **announced)
        FIRST.update(rows(month))
    return FIRST


def run(month: Month, **given: Any) -> None:
    execution = month.run_step("bua", run_date=str(RUN_DATE), stop_after="segments", skip=["warming"], **given)
    assert execution["status"] == "SUCCEEDED", failure(execution)


def production_goes_on(month: Month) -> int:
    """Days of every site get other values, some vanish, new ones are read; returns how many items changed."""
    dynamodb = month.stack.client("EARL", "dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(TableName=names.EARL_INTERVAL_TABLE)
    items = sorted(
        (item for page in pages for item in page["Items"]), key=lambda item: (item["pk"]["S"], item["sk"]["S"])
    )
    changed = items[::97]
    for position, item in enumerate(changed):
        if position % 3 == 0:
            key = {name: item[name] for name in ("pk", "sk")}
            dynamodb.delete_item(TableName=names.EARL_INTERVAL_TABLE, Key=key)
        else:
            values = bytearray(item["val"]["B"])
            values[0:4] = (12345).to_bytes(4, "little")
            later = item | {"val": {"B": bytes(values)}, "upd": {"S": "2026-11-02T09:00:00"}}
            dynamodb.put_item(TableName=names.EARL_INTERVAL_TABLE, Item=later)
    return len(changed)


def test_the_run_reads_the_export_and_says_so(month: Month, first: dict[str, bytes]) -> None:
    assert first["utility_profile"].count(b"\n") > 1000
    assert inputs(month) == [RUN_TABLE]
    ledger = month.ledger("BUA")
    assert ledger["interval_table"]["S"] == RUN_TABLE
    described = month.stack.client("ANSTEAD", "dynamodb").describe_table(TableName=RUN_TABLE)["Table"]
    production = month.stack.client("EARL", "dynamodb").describe_table(TableName=names.EARL_INTERVAL_TABLE)["Table"]
    assert described["ItemCount"] == production["ItemCount"] > 1000


def test_production_goes_on_and_segments_again_give_the_same_bytes(month: Month, first: dict[str, bytes]) -> None:
    assert production_goes_on(month) > 100
    execution = month.run_step("segments")
    assert execution["status"] == "SUCCEEDED", failure(execution)
    assert rows(month) == first


def test_so_does_the_whole_run_again_and_its_import_is_not_repeated(month: Month, first: dict[str, bytes]) -> None:
    run(month)
    assert rows(month) == first
    assert len(month.stack.client("ANSTEAD", "dynamodb").list_imports()["ImportSummaryList"]) == 1


def test_who_chooses_the_live_table_gets_other_reads_and_is_told_so(month: Month, first: dict[str, bytes]) -> None:
    run(month, live_intervals=True)
    assert inputs(month) == [names.EARL_INTERVAL_TABLE]
    assert rows(month)["utility_profile"] != first["utility_profile"]


def test_terminate_deletes_the_table_and_what_was_generated(month: Month, first: dict[str, bytes]) -> None:
    execution = month.run_step("terminate")
    assert execution["status"] == "SUCCEEDED", failure(execution)
    tables = month.stack.client("ANSTEAD", "dynamodb").list_tables()["TableNames"]
    assert sorted(tables) == sorted([names.CONTROL_TABLE, names.INTERVAL_TABLE])
