"""The month runs: from EARL's schedule to the exported files, and again, and step by step, with the same bytes.

The tests of this file go on from each other's state, in their order, as an engineer at the console would.
"""

import csv
import io
import json
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from tests.independent.accrual import Reading
from tests.independent.explained import differences as explained_differently
from tests.independent.readded import differences as added_differently
from tests.pipeline.conftest import EXPORTS, RUN_DATE, Month, failure

from local.aws import names
from local.report import write
from local.watch import follow
from shared import catalogue
from shared.period import choose
from shared.report import explain
from shared.report.make import make

ROOT = Path(__file__).resolve().parents[2]
FIRST: dict[str, bytes] = {}


def rows(exported: dict[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exported[name].decode())))


@pytest.fixture(scope="module")
def first(month: Month) -> dict[str, bytes]:
    """The files of the first run: EARL's snapshot, announcement, `bua` to its end."""
    if not FIRST:
        steps = follow(month.stack, RUN_DATE, month.console)
        assert [step.state for step in steps] == ["SUCCEEDED"] * (1 + len(catalogue.load().pipeline()))
        FIRST.update(month.exported("first"))
        period = choose(RUN_DATE)
        write(month.portfolio, RUN_DATE, steps, month.folder / "first", month.console, period=period)
    return FIRST


def test_the_month_runs_from_earls_schedule_to_the_files(first: dict[str, bytes]) -> None:
    assert set(EXPORTS) <= set(first)
    assert any(name.startswith("nem12/") for name in first)
    assert len(rows(first, "BUAAccountSummary.csv")) > 100


def test_terminate_leaves_no_database_behind(month: Month, first: dict[str, bytes]) -> None:
    rds = month.stack.client("ANSTEAD", "rds")
    assert rds.describe_db_instances()["DBInstances"] == []
    assert rds.describe_db_snapshots()["DBSnapshots"] == []


def test_accounts_with_complete_reads_meet_the_truth(month: Month, first: dict[str, bytes]) -> None:
    truth = {row["account_id"]: row for row in csv.DictReader((month.portfolio / "truth.csv").open())}
    checked = 0
    for row in rows(first, "BUAAccountSummary.csv"):
        if truth[row["account_id"]]["complete"] == "true":
            assert abs(Decimal(row["units_total"]) - Decimal(truth[row["account_id"]]["units_true"])) <= Decimal(
                "0.001"
            )
            assert abs(Decimal(row["net_amount"]) - Decimal(truth[row["account_id"]]["net_true"])) <= Decimal("0.01")
            checked += 1
    assert checked >= 20


def test_a_second_opinion_agrees(month: Month, first: dict[str, bytes]) -> None:
    """The independent reading of the same folder finds the same days, units and dollars, and everything adds up."""
    command = [sys.executable, str(ROOT / "tests" / "independent" / "reading.py"), str(month.portfolio), str(RUN_DATE)]
    opinion = subprocess.run(
        [*command, "--compare", str(month.folder / "first")], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert opinion.returncode == 0, opinion.stdout[-6000:] + opinion.stderr[-2000:]


METHODS = (
    "ACTUAL", "RECENT_DAYS", "READS", "READS_SEASON", "OLDER_READS", "INVOICES", "SEGMENT_AVERAGE", "BASE_AND_SEASON", "DEGREE_DAYS",
    "GIANT_DAILY_MEAN", "DELIVERED_ESTIMATE",
)  # fmt: skip


def kinds(exported: dict[str, bytes]) -> dict[str, list[str]]:
    """Accounts of every kind that an auditor would ask about."""
    lines, accounts = (rows(exported, f"{name}.csv") for name in ("InvoiceLineItemMonthly", "BUAAccountSummary"))
    prices: dict[tuple[str, ...], set[str]] = {}
    for row in lines:
        prices.setdefault(
            tuple(row[name] for name in ("account_id", "item_type", "time_class", "line_state")), set()
        ).add(row["rate"])
    found = {method: [row["account_id"] for row in accounts if row["method"] == method] for method in METHODS}
    found["solar"] = [row["account_id"] for row in lines if row["stream_type"] == "SOLAR"]
    found["controlled load"] = [row["account_id"] for row in lines if row["stream_type"] == "CONTROL"]
    found["block"] = [key[0] for key, rates in prices.items() if len(rates) > 1]
    found["discount"] = [row["account_id"] for row in accounts if Decimal(row["discount_amount"])]
    found["exception"] = [row["account_id"] for row in rows(exported, "exceptions.csv") if row["account_id"]]
    return {kind: sorted(set(ids)) for kind, ids in found.items()}


def test_two_accounts_of_every_kind_are_explained_as_a_second_opinion_reads_them(
    month: Month, first: dict[str, bytes]
) -> None:
    reading, found = Reading(month.portfolio, RUN_DATE), kinds(first)
    assert {kind for kind, ids in found.items() if not ids} <= {"GIANT_DAILY_MEAN"}  # everything of a giant may be read
    for account in sorted({account for ids in found.values() for account in ids[:2]}):
        explained = explain.of_folder(month.folder / "first", account)
        assert list(explained_differently(reading, explained)) == [], account
        tables = {table.key: table for table in explained.tables}
        assert {row[3] for row in tables["sums"].rows} == {0}, account
        reconciled = tables["reconciled"].rows if "reconciled" in tables else []
        assert all(abs(row[4]) <= Decimal("0.005") for row in reconciled), account  # what is left is rounding


def test_every_total_of_the_report_is_added_again(month: Month, first: dict[str, bytes], tmp_path: Path) -> None:
    report = make(month.folder / "first", tmp_path)
    assert report.verdict.may_post, report.verdict.headline
    assert list(added_differently(report, month.folder / "first", tmp_path)) == []


def test_the_whole_pipeline_again_gives_the_same_bytes(month: Month, first: dict[str, bytes]) -> None:
    execution = month.run_step("bua", run_date=str(RUN_DATE), stop_after="export")
    assert execution["status"] == "SUCCEEDED", failure(execution)
    assert month.exported("second") == first


@pytest.mark.parametrize(
    "steps",
    [
        ["export"],
        ["microscalar"],
        ["reset-basicreads", "basicreads", "basicreads"],
        ["segments", "microscalar"],
        [
            "scaleup-workflow",
            "warming",
            "scaleup-meterdata",
            "nem12",
            "nem12",
            "invoiceruns",
            "invoiceruns",
            "scaledown",
        ],
    ],
    ids="+".join,
)
def test_steps_again_give_the_same_bytes(month: Month, first: dict[str, bytes], steps: list[str]) -> None:
    """Each step alone, with nothing given: it finds the run date in the ledger."""
    for step in [*steps, "export"]:
        execution = month.run_step(step)
        assert execution["status"] == "SUCCEEDED", failure(execution)
    assert month.exported("again") == first


def test_the_rest_of_a_run_from_a_step_on(month: Month, first: dict[str, bytes]) -> None:
    execution = month.run_step("bua", start_at="scaleup-meterdata", stop_after="export", skip=["nem12", "invoiceruns"])
    assert execution["status"] == "SUCCEEDED", failure(execution)
    assert month.exported("rest") == first


def test_a_contradicting_run_date_is_refused(month: Month, first: dict[str, bytes]) -> None:
    execution = month.run_step("microscalar", run_date="2026-10-01")
    assert execution["status"] == "FAILED"
    assert execution["error"] == "RunDateRefused"


def test_a_missing_scale_up_leaves_work_undone(month: Month, first: dict[str, bytes]) -> None:
    execution = month.run_step("warming")
    assert (execution["status"], execution["error"]) == ("FAILED", "NobodyServes"), failure(execution)
    assert "scaleup-workflow" in execution["cause"]


def test_a_stopped_execution_gives_its_lock_up_and_its_step_can_be_rerun(month: Month, first: dict[str, bytes]) -> None:
    segments = month.stack.start_step("segments")
    deadline = time.monotonic() + 60
    while month.ledger("BUA", "CURRENT").get("lock_owner") != {"S": segments} and time.monotonic() < deadline:
        time.sleep(0.1)
    refused = month.run_step("microscalar")
    assert (refused["status"], refused["error"]) == ("FAILED", "RunInProgress"), failure(refused)
    time.sleep(2)  # somewhere in its first fan-out
    month.stack.client("ANSTEAD", "stepfunctions").stop_execution(executionArn=segments)
    for step in ("segments", "microscalar", "export"):
        execution = month.run_step(step)
        assert execution["status"] == "SUCCEEDED", failure(execution)
    assert month.exported("after-stop") == first


def test_terminate_drops_the_database_and_a_step_then_says_so(month: Month, first: dict[str, bytes]) -> None:
    execution = month.run_step("terminate")
    assert execution["status"] == "SUCCEEDED", failure(execution)
    assert month.stack.client("ANSTEAD", "rds").describe_db_instances()["DBInstances"] == []
    execution = month.run_step("export")
    assert execution["status"] == "FAILED"
    assert execution["error"] == "NoCurrentRun"
    assert "restore" in execution["cause"]


def test_no_secret_is_in_the_logs(month: Month, first: dict[str, bytes]) -> None:
    manager = month.stack.client("ANSTEAD", "secretsmanager")
    logs = "".join(path.read_text(errors="replace") for path in month.stack.log_directory.glob("*.log"))
    for role in names.DATABASE_ROLES:
        secret = manager.get_secret_value(SecretId=f"{names.SECRET_PREFIX}-{role}")["SecretString"]
        password = json.loads(secret)["password"]
        assert password not in logs
