"""Every alarm reaches somebody, and says what it means when nothing is reported."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALARM = re.compile(r'^resource "aws_cloudwatch_metric_alarm" "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
ALARMS = {
    f"{path.relative_to(ROOT)}:{name}": body
    for folder in ("modules", "terraform")
    for path in sorted((ROOT / folder).rglob("*.tf"))
    for name, body in ALARM.findall(path.read_text())
}


def test_the_alarms_are_found() -> None:
    assert len(ALARMS) >= 10


@pytest.mark.parametrize("body", ALARMS.values(), ids=ALARMS)
def test_an_alarm_says_whom_it_tells_and_what_to_do(body) -> None:
    given = dict(re.findall(r"^  (\w+)\s+= (.+)$", body, re.MULTILINE))
    assert "topic" in given["alarm_actions"] or "sns" in given["alarm_actions"]
    assert given["treat_missing_data"] in ('"notBreaching"', '"missing"', '"breaching"')
    assert len(given["alarm_description"]) > 40
    seconds = int(given["period"]) * int(given["evaluation_periods"])
    assert seconds <= 86400  # CloudWatch refuses more for periods under an hour
