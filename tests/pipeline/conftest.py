"""A small month on the local stack, shared by the tests of a file: starting a stack takes a minute."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local import outputs
from local.aws import names
from local.demo import write_demo
from local.portfolio.format import read_portfolio
from local.portfolio.production import load_production
from local.stack import LocalStack

RUN_DATE = date(2026, 11, 1)
ACCOUNTS = 130
EXPORTS = (
    "BUAAccountSummary.csv", "InvoiceLineItemMonthly.csv", "summary.csv", "profile_marks.csv", "exceptions.csv",
    "implausible_reads.csv", "estimate_bands.csv",
)  # fmt: skip


@dataclass
class Month:
    """A local stack with a portfolio in production, and what can be done to it from the console."""

    stack: LocalStack
    portfolio: Path
    folder: Path
    console: Console

    def run_step(self, step: str, **parameters: object) -> dict[str, Any]:
        """Start a machine of ANSTEAD's and wait for its end; the caller looks at the status."""
        return self.wait(self.stack.start_step(step, **parameters))

    def wait(self, execution: str) -> dict[str, Any]:
        states = self.stack.client("ANSTEAD", "stepfunctions")
        while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(0.2)
        return dict(found)

    def exported(self, label: str) -> dict[str, bytes]:
        """The files of the last export, and the meter data files of the run."""
        out = self.folder / label
        outputs.collect(self.stack.client("ANSTEAD", "s3"), RUN_DATE, out)
        return {
            path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
        }

    def ledger(self, key: str, run_date: str = RUN_DATE.isoformat()) -> dict[str, Any]:
        item = self.stack.client("ANSTEAD", "dynamodb").get_item(
            TableName=names.CONTROL_TABLE, Key={"control_key": {"S": key}, "run_date": {"S": run_date}}
        )
        return dict(item.get("Item", {}))


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory, host_zips: dict[str, Path]) -> Iterator[Month]:
    folder = tmp_path_factory.mktemp("month")
    portfolio = folder / "portfolio"
    write_demo(portfolio, accounts=ACCOUNTS, seed=7, run_date=RUN_DATE)
    console = Console(file=(folder / "display.txt").open("w"), width=140)
    with LocalStack(folder / "stack") as stack:
        load_production(stack, read_portfolio(portfolio, RUN_DATE))
        yield Month(stack, portfolio, folder, console)


def failure(execution: dict[str, Any]) -> str:
    """What a person would read of a failed execution."""
    return json.dumps({key: execution.get(key) for key in ("status", "error", "cause")}, indent=2)
