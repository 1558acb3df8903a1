"""The temporary database rings by name, keeps its log, and goes without a trace (what real AWS demands)."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = json.loads((ROOT / "modules" / "database-restore" / "bua-sql.template.json").read_text())["Resources"]
INSTANCE = RESOURCES["Instance"]
ALARMS = {key: found["Properties"] for key, found in RESOURCES.items() if found["Type"] == "AWS::CloudWatch::Alarm"}


def test_there_is_an_alarm_for_age_disk_and_processors() -> None:
    assert {key: alarm["AlarmName"]["Fn::Sub"] for key, alarm in ALARMS.items()} == {
        "Left": "${InstanceName}-left",
        "Storage": "${InstanceName}-storage",
        "Cpu": "${InstanceName}-cpu",
    }


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
def test_an_alarm_watches_this_instance_and_reaches_somebody(alarm) -> None:
    assert alarm["Namespace"] == "AWS/RDS"
    assert alarm["Dimensions"] == [{"Name": "DBInstanceIdentifier", "Value": {"Ref": "InstanceName"}}]
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert alarm["TreatMissingData"] == "notBreaching"  # a database that was deleted does not ring
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 86400  # CloudWatch refuses more for periods under an hour


def test_a_database_that_is_left_rings_after_a_day() -> None:
    alarm = ALARMS["Left"]
    # RDS reports DatabaseConnections every minute that the instance exists, whether anybody is connected or not.
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("DatabaseConnections", "SampleCount", 0)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 24 * 3600


def test_a_disk_that_fills_up_rings_in_five_minutes() -> None:
    alarm = ALARMS["Storage"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["ComparisonOperator"]) == (
        "FreeStorageSpace", "Minimum", "LessThanThreshold",
    )  # fmt: skip
    assert alarm["Threshold"] == {"Ref": "LowBytes"}
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 300


def test_processors_that_are_full_for_an_hour_ring() -> None:
    alarm = ALARMS["Cpu"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("CPUUtilization", "Average", 95)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 3600


def test_the_log_and_what_was_slow_outlive_the_instance() -> None:
    assert INSTANCE["Properties"]["EnableCloudwatchLogsExports"] == ["postgresql"]
    assert INSTANCE["Properties"]["EnablePerformanceInsights"] is True
    assert INSTANCE["Properties"]["PerformanceInsightsKMSKeyId"] == {"Ref": "KmsKey"}


def test_the_instance_is_private_and_leaves_nothing_behind() -> None:
    assert INSTANCE["DeletionPolicy"] == INSTANCE["UpdateReplacePolicy"] == "Delete"
    assert INSTANCE["Properties"]["PubliclyAccessible"] is False
    assert INSTANCE["Properties"]["DeletionProtection"] is False
    assert INSTANCE["Properties"]["BackupRetentionPeriod"] == 0
