"""`make e2e`: a month end through what Terraform made, on the emulator of AWS with IAM enforced.

Exit status 0: the exports are those of `make run` to the byte, no call was denied, no action is granted without being used
or having a recorded reason, a second plan changes nothing that the emulator does not misreport, destroy leaves nothing.
"""

import argparse
import filecmp
import os
import shutil
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from artifacts import zips
from e2e import privileges
from e2e.terraformed import Terraform, provisioning
from local import outputs
from local.aws import names
from local.portfolio.format import read_portfolio
from local.portfolio.production import load_production
from local.stack import LocalStack
from local.watch import follow

EXPORTS = (
    "BUAAccountSummary.csv", "InvoiceLineItemMonthly.csv", "exceptions.csv", "implausible_reads.csv", "profile_marks.csv",
    "summary.csv", "estimate_bands.csv",
)  # fmt: skip
RECORDING = Path(__file__).parent / "recording"
ACCOUNTS = ("EARL", "ANSTEAD")
# Scheduler replaces this word in a target's input: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"


class RecordedStack(LocalStack):
    """A local stack that enforces IAM and writes its decisions down."""

    def start_month(self, run_date: date) -> str:
        """Start EARL's machine as its schedule does, with the input that Terraform gave it."""
        return self.fire("EARL", f"{names.EARL_PREFIX}-bua-snapshot", run_date)

    def fire(self, account: str, schedule: str, day: date) -> str:
        """Start what a schedule starts at its time zone's midnight of a day, as Scheduler would; returns the execution."""
        found = self.client(account, "scheduler").get_schedule(Name=schedule)
        midnight = datetime.combine(day, datetime.min.time(), ZoneInfo(found["ScheduleExpressionTimezone"]))
        text = found["Target"]["Input"].replace(SCHEDULED_TIME, midnight.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        started = self.client(account, "stepfunctions").start_execution(
            stateMachineArn=found["Target"]["Arn"], input=text
        )
        return str(started["executionArn"])

    @property
    def calls(self) -> Path:
        """Where the decisions are, a line each."""
        return self.directory / "calls.jsonl"

    def _environment(self, temporary: Path) -> dict[str, str]:
        self.calls.unlink(missing_ok=True)
        environment = super()._environment(temporary)
        return environment | {
            "PYTHONPATH": f"{RECORDING}{os.pathsep}{environment['PYTHONPATH']}",
            "AUTH": "true", "E2E_CALLS": str(self.calls), "POWERTOOLS_TRACE_DISABLED": "true",
        }  # fmt: skip


def main() -> int:
    """Run, compare, and say what is wrong."""
    options = _options()
    zips.build(zips.host_target())
    portfolio = read_portfolio(options.portfolio, options.run_date)
    terraform = Terraform(options.work / "terraform", options.mirror)
    out = options.work / "out"
    shutil.rmtree(out, ignore_errors=True)
    with RecordedStack(options.work / "stack", provision=provisioning(terraform)) as stack:
        load_production(stack, portfolio)
        follow(stack, options.run_date, Console(highlight=False, width=140))
        outputs.collect(stack.client("ANSTEAD", "s3"), options.run_date, out)
        misjudged = _misjudged(stack, options.run_date)
        grants = privileges.grants(stack.calls, terraform.states())
        privileges.write(grants, options.work / "privileges.csv")
        findings = {
            "exports that differ from make run's": [
                name for name in EXPORTS if not filecmp.cmp(out / name, options.expected / name, shallow=False)
            ],
            "verdicts of the deadline's check that are wrong": misjudged,
            "calls that were denied": privileges.denied(stack.calls),
            "granted, never used, no reason": privileges.unexplained(grants),
            "reasons that excuse nothing": privileges.idle(grants),
            "changed by a second plan": [
                address for account in ACCOUNTS for address in terraform.drift(account, stack.endpoint_url)
            ],
        }
        for account in reversed(ACCOUNTS):
            terraform.destroy(account, stack.endpoint_url)
        findings["left after destroy"] = terraform.left()
    for what, found in findings.items():
        print(f"{what}: {len(found)}", *found, sep="\n  ")
    print(
        f"{len(grants)} grants, {sum(grant.seen > 0 for grant in grants)} of them seen: {options.work / 'privileges.csv'}"
    )
    return 1 if any(findings.values()) else 0


def _misjudged(stack: RecordedStack, run_date: date) -> list[str]:
    """The deadline's check, as its schedule starts it: content with the month that ran, not with the one after it."""
    machines = stack.client("ANSTEAD", "stepfunctions")
    wrong = []
    for month, expected in ((run_date, "SUCCEEDED"), (run_date + timedelta(days=31), "FAILED")):
        execution = stack.fire("ANSTEAD", f"{names.PREFIX}-bua-deadline", month.replace(day=2))
        while (found := machines.describe_execution(executionArn=execution))["status"] == "RUNNING":
            time.sleep(0.1)
        if found["status"] != expected or found.get("error", "RunNotFinishedInTime") != "RunNotFinishedInTime":
            wrong.append(f"{month:%Y-%m}: {found['status']}, {found.get('error')}: {found.get('cause')}")
    return wrong


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--portfolio", type=Path, required=True)
    parser.add_argument("--run-date", type=date.fromisoformat, required=True)
    parser.add_argument("--expected", type=Path, required=True, help="OUT of make run for the same portfolio")
    parser.add_argument("--mirror", help="a provider mirror, where there is no way to the registry")
    parser.add_argument("--work", type=Path, default=Path("build/e2e"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
