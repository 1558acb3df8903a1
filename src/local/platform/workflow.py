"""The local reference platform's workflow service: executes schedules and every workflow that is not meterdata's.

`python -m local.platform.workflow` raises instances of due schedules and executes instances by priority. Its arithmetic
is SQL (sql/platform/1*.sql, and schema bua for warming and BUA_CALCULATION); only IMPORT_NEM12 reads from DynamoDB.
"""

import json
import logging
import os
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import boto3

from local.platform.aggregation import aggregate
from local.platform.engine import Connection, Handler, Instance, serve
from shared.metering.interval_store import decode_run_items, query_items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = logging.getLogger("platform.workflow")

WORKERS = 2

# Workflows whose work is one procedure, called with the payload.
PAYLOAD_PROCEDURES = {
    "WARM_TABLE": "bua.core_warm_table",
    "WARM_PARTITION": "bua.core_warm_partition",
    "WARM_INDEX": "bua.core_warm_index",
    "GENERATE_ILI": "core.generate_ili",
    "RUN_INVOICE_BATCH": "core.run_invoice_batch",
    "INVOICEGEN": "core.invoicegen",
    "BUA_CALCULATION": "bua.execute_calculation",
}


def handlers(dynamodb: "DynamoDBClient", table: str) -> dict[str, Handler]:
    """Every workflow of this service; dynamodb and table are the interval store that meterdata loads into."""
    return {
        **{name: _call_with_payload(procedure) for name, procedure in PAYLOAD_PROCEDURES.items()},
        "IMPORT_NEM12": _import_nem12(dynamodb, table),
    }


def execute_schedules(connection: Connection) -> None:
    """Raise an instance of every enabled schedule that is due and was not executed.

    Leaves the transaction open. A schedule executes once: of two services that see it, the second one finds it executed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            with due as (
                update core.workflow_schedule
                   set executed_at = clock_timestamp()
                 where is_enabled and executed_at is null and due_at <= clock_timestamp()
                returning workflow_schedule_id, workflow_name, payload, run_date)
            insert into core.workflow_instance (workflow_name, payload, run_date)
            select workflow_name, payload, run_date from due order by workflow_schedule_id
            """
        )
        if cursor.rowcount:
            log.info("%s schedule(s) executed", cursor.rowcount)


def _call_with_payload(procedure: str) -> Handler:
    def call(connection: Connection, payload: dict[str, Any], _instance: Instance) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"call {procedure}(%s::jsonb)", (json.dumps(payload),))

    return call


def _import_nem12(dynamodb: "DynamoDBClient", table: str) -> Handler:
    """Handler of IMPORT_NEM12, payload {"run_date", "reads": [{"nmi", "suffix", "from", "to"}, ...]}."""

    def import_nem12(connection: Connection, payload: dict[str, Any], _instance: Instance) -> None:
        run_date = date.fromisoformat(payload["run_date"])
        spans = _spans(payload["reads"])
        items = [item for nmi, first, last in spans for item in query_items(dynamodb, table, nmi, first, last)]
        days = decode_run_items(items, run_date)
        aggregate(connection, days, run_date=run_date)
        log.info("run %s: %s days imported", run_date, len(days))

    return import_nem12


def _spans(reads: Iterable[Mapping[str, str]]) -> list[tuple[str, date, date]]:
    """The first and last day that were loaded of each NMI."""
    spans: dict[str, tuple[date, date]] = {}
    for read in reads:
        first, last = date.fromisoformat(read["from"]), date.fromisoformat(read["to"])
        known_first, known_last = spans.get(read["nmi"], (first, last))
        spans[read["nmi"]] = min(first, known_first), max(last, known_last)
    return [(nmi, *span) for nmi, span in sorted(spans.items())]


def main() -> None:
    """Serve until SIGTERM; DATABASE_* and INTERVAL_TABLE from the environment, AWS as boto3 finds it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    serve(
        handlers(boto3.client("dynamodb"), os.environ["INTERVAL_TABLE"]),
        on_poll=execute_schedules,
        workers=WORKERS,
    )


if __name__ == "__main__":
    main()
