"""What finance is told: that there is a report and where, or that there is none. Never a customer's data."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.settings import Settings
from shared.steps.folders import OUTBOUND

SUBJECT_LENGTH = 100  # SNS takes no longer one


def report_made(settings: Settings, sns: Any, run_date: date, folder: str, told: Mapping[str, Any]) -> None:
    """Tell finance the headline, and links that ask for a sign-in."""
    period = told["period"]
    lines = [
        f"Accrued revenue from {period['from']} to {period['to']}, as at {period['as_at']} (run of {run_date}).",
        "", str(told["headline"]),
        "", f"Report: {_link(settings, settings.bucket, f'{folder}report.html')}",
        f"Workbook: {_link(settings, settings.bucket, f'{folder}report.xlsx')}",
        f"All files: s3://{settings.integration_bucket}/{OUTBOUND}",
    ]  # fmt: skip
    state = "to be signed" if told["may_post"] else "NOT to be posted"
    _publish(settings, sns, f"Accrued revenue to {period['to']}: {state}", lines)


def report_failed(settings: Settings, sns: Any, run_date: date, cause: str) -> None:
    """Tell finance that the files are there and the report is not."""
    lines = [
        f"The files of the run of {run_date} are complete: s3://{settings.integration_bucket}/{OUTBOUND}",
        "The report could not be made. The engineer on call makes it from these files; nothing has to be run again.",
        "", cause[:500],
    ]  # fmt: skip
    _publish(settings, sns, f"Accrued revenue, run of {run_date}: files without a report", lines)


def _publish(settings: Settings, sns: Any, subject: str, lines: list[str]) -> None:
    sns.publish(TopicArn=settings.report_topic_arn, Subject=subject[:SUBJECT_LENGTH], Message="\n".join(lines) + "\n")


def _link(settings: Settings, bucket: str, key: str) -> str:
    return f"https://{settings.region}.console.aws.amazon.com/s3/object/{bucket}?region={settings.region}&prefix={key}"
