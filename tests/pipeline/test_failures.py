"""A month in which an item of every kind fails for ever: it is an exception with its cause, and all else is as without.

A first run says what everything is without failures. Then an item of every run type, and of every workflow of the platform,
is poisoned in the run's database or in production's interval store, each of an account of its own, and the steps run again.
"""

import csv
import io
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg2
import pytest
from rich.console import Console
from tests.pipeline.conftest import RUN_DATE, Month, failure

from local import report
from local.aws import names
from shared.metering.interval_store import partition_key
from shared.period import choose

# What fails: the table that it writes, what it does there, and which rows of it are the item's.
POISONS = {
    "SegmentJurisdictionAvgExclEst": (
        "bua.segment_profile", "insert",
        "new.segment || to_char(new.profile_date, '|YYYY-MM') = 'SA|RES|SOLAR|2026-09' and new.average[1] is not null",
    ),
    "SegmentJurisdictionCheck": (
        "bua.segment_profile_mark", "insert", "new.segment || to_char(new.profile_date, '|YYYY-MM') = 'SA|RES|PRIMARY|2026-08'",
    ),
    "SegmentJurisdictionFix": (
        "bua.segment_profile", "update",
        "new.segment || to_char(new.profile_date, '|YYYY-MM') = 'SA|RES|PRIMARY|2026-07' and old.marked_mask <> 0",
    ),
    "Validate": ("bua.utility_profile_variance", "insert", "new.segment || '|' || new.year_month = 'SA|RES|PRIMARY|2026-06'"),
    "MicroScalar": ("bua.micro_scalar", "insert", "new.account_id = '{account}'"),
    "ResetBasicRead": ("core.aggregated_read", "delete", "old.origin = 'BUA' and old.meter_register_id = {register}"),
    "BasicRead": ("core.aggregated_read", "insert", "new.origin = 'BUA' and new.meter_register_id = {register}"),
    "NEM12": ("core.workflow_instance", "insert", "new.workflow_name = 'LOAD_NEM12' and new.payload::text ~ '{site}'"),
    "LOAD_NEM12": ("core.workflow_instance", "insert", "new.workflow_name = 'IMPORT_NEM12' and new.payload::text ~ '{site}'"),
    "IMPORT_NEM12": (
        "core.aggregated_read", "insert",
        "new.origin = 'BUA' and new.meter_register_id = {register} and new.quantity >= 0",  # not the run's own reversals
    ),
    "GENERATE_ILI": ("core.billable_quantity", "insert", "new.account_id = '{account}'"),
    "RUN_INVOICE_BATCH": ("core.invoice", "insert", "new.account_id = '{account}'"),
    "INVOICEGEN": ("core.invoice", "update", "new.account_id = '{account}'"),
    "PrepareExport": ("bua.account_summary", "insert", "new.account_id = '{account}'"),
}  # fmt: skip
# Accounts whose interval reads lack something, whose index reads do, and others.
OF_GENERATED_FILES = ("MicroScalar", "NEM12", "LOAD_NEM12", "IMPORT_NEM12")
OF_INDEX_READS = ("ResetBasicRead", "BasicRead", "GENERATE_ILI", "RUN_INVOICE_BATCH", "INVOICEGEN", "PrepareExport")
OF_SEGMENTS = {
    "SegmentJurisdictionAvgExclEst": "SA|RES|SOLAR|2026-09", "SegmentJurisdictionCheck": "SA|RES|PRIMARY|2026-08",
    "SegmentJurisdictionFix": "SA|RES|PRIMARY|2026-07", "Validate": "SA|RES|PRIMARY|2026-06",
}  # fmt: skip


@dataclass
class Poisoned:
    """Both runs' files, the accounts that were poisoned, by what of them, and the last lines of the terminal."""

    clean: dict[str, bytes]
    files: dict[str, bytes]
    accounts: dict[str, str]
    lines: list[str]

    def rows(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.files[name].decode())))


@pytest.fixture(scope="module")
def poisoned(month: Month) -> Iterator[Poisoned]:
    execution = month.run_step("bua", run_date=str(RUN_DATE), snapshot_arn=take_snapshot(month), stop_after="export")
    assert execution["status"] == "SUCCEEDED", failure(execution)
    clean = month.exported("clean")
    with closing(psycopg2.connect(month.stack.run_dsn())) as connection, connection.cursor() as cursor:
        accounts = choose_accounts(cursor)
        for number, what in enumerate(POISONS):
            put_in(cursor, number, what, accounts.get(what))
        cursor.execute("select site_id from core.account_site where account_id = %s", (accounts["UtilityProfile"],))
        ((spoilt,),) = cursor.fetchall()
        connection.commit()
    spoil(month, spoilt)
    execution = month.run_step("bua", start_at="segments", stop_after="export")
    assert execution["status"] == "SUCCEEDED", failure(execution)
    files = month.exported("poisoned")
    with (month.folder / "last.txt").open("w+") as display:
        report.write(month.portfolio, RUN_DATE, [], month.folder / "poisoned", Console(file=display, width=1000),
                     period=choose(RUN_DATE))  # fmt: skip
        display.seek(0)
        lines = display.read().splitlines()
    return Poisoned(clean, files, accounts, lines)


def take_snapshot(month: Month) -> str:
    """EARL's snapshot, announced to nobody: the run is begun by hand, to keep its database."""
    functions, states = month.stack.client("ANSTEAD", "lambda"), month.stack.client("EARL", "stepfunctions")
    for mapping in functions.list_event_source_mappings(FunctionName=names.function_name("notify"))[
        "EventSourceMappings"
    ]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    execution = month.stack.start_month(RUN_DATE)
    while states.describe_execution(executionArn=execution)["status"] == "RUNNING":
        time.sleep(0.2)
    snapshots = month.stack.client("EARL", "rds").describe_db_snapshots()["DBSnapshots"]
    return str(next(s["DBSnapshotArn"] for s in snapshots if s["DBSnapshotIdentifier"].endswith("-shared")))


def choose_accounts(cursor: Any) -> dict[str, str]:
    """An account for each thing that will fail; each is alone at its site, which has one register."""
    alone = (
        "select min(s.account_id) from core.account_site s join core.meter_register m using (site_id)"
        " join bua.account_summary a using (account_id) where {} group by s.site_id having count(*) = 1 order by 1"
    )
    cursor.execute(alone.format("a.jurisdiction = 'ACT'"))  # nobody else follows its segment's profile
    ((act,),) = cursor.fetchall()
    cursor.execute(
        alone.format("s.site_id in (select item_key from bua.bua_control where run_type = 'NEM12' and state = 'DONE')")
    )
    generated = [account for (account,) in cursor.fetchall()]
    cursor.execute(alone.format("m.read_type = 'BASIC' and exists (select from core.aggregated_read r"
                                " where r.meter_register_id = m.meter_register_id and r.origin = 'BUA')"))  # fmt: skip
    index_read = [account for (account,) in cursor.fetchall()]
    return {
        "UtilityProfile": act,
        **dict(zip(OF_GENERATED_FILES, generated, strict=False)),
        **dict(zip(OF_INDEX_READS, index_read, strict=False)),
    }


def put_in(cursor: Any, number: int, what: str, account: str | None) -> None:
    """A trigger that lets no role do this to the item's rows."""
    cursor.execute(
        "select site_id, meter_register_id from core.account_site join core.meter_register using (site_id) where account_id = %s",
        (account,),
    )
    site, register = cursor.fetchone() or (None, None)
    table, operation, condition = POISONS[what]
    condition = condition.format(account=account, site=site, register=register)
    cursor.execute(
        f"create function public.poison_{number}() returns trigger language plpgsql as $$ begin"
        f" if {condition} then raise 'poison of {what}'; end if; return coalesce(new, old); end $$"
    )
    cursor.execute(
        f"create trigger poison_{number} before {operation} on {table} for each row execute function public.poison_{number}()"
    )


def spoil(month: Month, site: str) -> None:
    """Leave the last half-hour of one of the site's days without a quality."""
    store = month.stack.client("EARL", "dynamodb")
    item = store.query(
        TableName=names.EARL_INTERVAL_TABLE, KeyConditionExpression="pk = :pk", Limit=1,
        ExpressionAttributeValues={":pk": {"S": partition_key(site, estimated=False)}},
    )["Items"][0]  # fmt: skip
    store.put_item(TableName=names.EARL_INTERVAL_TABLE, Item=item | {"q": {"S": "1-47:A"}})


def test_every_poisoned_account_is_an_exception_with_its_cause(poisoned: Poisoned) -> None:
    found = {
        row["account_id"]: row for row in poisoned.rows("exceptions.csv") if row["account_id"] and row["run_types"]
    }
    assert sorted(found) == sorted(poisoned.accounts.values())
    assert len(found) == 11
    for what, account in poisoned.accounts.items():
        row = found[account]
        # What cannot be removed cannot be made anew.
        assert row["run_types"] == ("BasicRead;ResetBasicRead" if what == "ResetBasicRead" else what)
        cause = "qualities cover 47 of 48" if what == "UtilityProfile" else f"poison of {what}"
        assert f"{what} failed, " in row["reason"]
        assert cause in row["reason"]
        assert "CONTEXT" not in row["reason"]


def test_a_segments_month_is_listed_by_its_name(poisoned: Poisoned) -> None:
    assert {
        row["run_types"]: row["item_key"] for row in poisoned.rows("exceptions.csv") if not row["account_id"]
    } == OF_SEGMENTS


# How far an account's estimate may be off is known from the whole panel: one meter less, and other accounts' limits move.
OF_THE_PANEL = {"units_low_80", "units_high_80", "units_low_95", "units_high_95", "no_band"}


@pytest.mark.parametrize("name", ["BUAAccountSummary.csv", "InvoiceLineItemMonthly.csv", "implausible_reads.csv"])
def test_all_others_have_the_same_bytes(poisoned: Poisoned, name: str) -> None:
    def others(files: dict[str, bytes]) -> list[list[str]]:
        ours = set(poisoned.accounts.values())
        head, *lines = csv.reader(io.StringIO(files[name].decode()))
        kept = [number for number, column in enumerate(head) if column not in OF_THE_PANEL]
        return [[line[number] for number in kept] for line in (head, *lines) if not ours & set(line)]

    assert len(others(poisoned.clean)) > 1 or name == "implausible_reads.csv"
    assert others(poisoned.files) == others(poisoned.clean)


def test_of_an_exception_the_supply_is_accrued_where_it_was_invoiced_and_prepared(poisoned: Poisoned) -> None:
    found = {row["account_id"]: row for row in poisoned.rows("BUAAccountSummary.csv")}
    for what, account in poisoned.accounts.items():
        if what in ("GENERATE_ILI", "RUN_INVOICE_BATCH", "PrepareExport"):
            assert account not in found
        else:
            assert (found[account]["units_total"], found[account]["method"]) == ("0.000", "NONE")
            assert Decimal(found[account]["net_amount"]) > 0


def test_no_file_is_left_of_what_was_not_generated(poisoned: Poisoned) -> None:
    generated = {name for name in poisoned.clean if name.startswith("nem12/")} - set(poisoned.files)
    sites = {row["site_id"] for row in poisoned.rows("exceptions.csv") if row["run_types"] in ("MicroScalar", "NEM12")}
    assert {name.removeprefix("nem12/").removesuffix(".csv") for name in generated} == sites


def test_the_control_totals_tie(poisoned: Poisoned) -> None:
    control = json.loads(poisoned.files["control.json"])
    accounts, summary = control["accounts"], poisoned.rows("BUAAccountSummary.csv")
    assert accounts["failed_items"] == 11
    assert accounts["total"] == sum(number for what, number in accounts.items() if what != "total")
    assert Decimal(control["totals"]["net_amount"]) == sum(Decimal(row["net_amount"]) for row in summary)
    assert {(one["run_type"], one["item"]) for one in control["failed"]} >= set(OF_SEGMENTS.items())
    assert control["incomplete_profiles"]["ACT|RES|PRIMARY"] == {"sites_missing": 1, "months_failed": 0, "accounts": 0}
    assert control["incomplete_profiles"]["SA|RES|PRIMARY"]["months_failed"] == 2


def test_the_last_lines_of_the_terminal_say_it(poisoned: Poisoned) -> None:
    *_, failed, totals, told, written = poisoned.lines
    assert failed.startswith("16 work items failed, for 11 accounts: ")  # one of them failed in two steps
    for what, account in poisoned.accounts.items():
        if what not in ("UtilityProfile", "NEM12", "LOAD_NEM12", "IMPORT_NEM12"):  # these are of sites
            assert account in failed
    assert "docs/runbook.md" in failed
    assert totals.startswith("Control totals tie. ")
    assert told.startswith("finance's report: ")
    assert written.startswith("written to ")
    assert any("ACT|RES|PRIMARY: 1 site missing from segment averages" in line for line in poisoned.lines)
