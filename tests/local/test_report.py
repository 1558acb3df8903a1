"""The last lines of a run: which accounts their truth is known of."""

import pytest
from rich.console import Console

from local.report import _print_report, _truth_of

ACCOUNTS = [
    {"account_id": "1", "unbilled_from": "2026-08-22", "unbilled_to": "2026-10-31", "unbilled_days": "71"},
    {"account_id": "2", "unbilled_from": "2026-10-01", "unbilled_to": "2026-10-31", "unbilled_days": "31"},
]
FIRST = {**ACCOUNTS[0], "units_true": "765.960"}


def test_a_truth_of_the_same_days_counts():
    assert _truth_of(ACCOUNTS, [FIRST]) == {"1": FIRST}


@pytest.mark.parametrize(
    "other", [{"unbilled_from": "2026-08-21"}, {"unbilled_to": "2026-09-30"}, {"unbilled_days": "70"}]
)
def test_a_truth_of_other_days_does_not(other):
    assert _truth_of(ACCOUNTS, [{**FIRST, **other}]) == {}


def test_a_truth_that_says_no_days_counts():
    row = {"account_id": "2", "units_true": "10"}
    assert _truth_of(ACCOUNTS, [row]) == {"2": row}


def test_a_truth_of_an_account_that_is_not_accrued_does_not():
    assert _truth_of(ACCOUNTS, [{**FIRST, "account_id": "3"}]) == {}


def test_the_reports_first_sentence_is_said(tmp_path, capsys):
    (tmp_path / "report.json").write_text('{"headline": "Ready to sign."}')
    _print_report(tmp_path, Console())
    assert capsys.readouterr().out == f"finance's report: Ready to sign. See {tmp_path}/report.html\n"


def test_a_run_without_a_report_says_where_to_read_on(tmp_path, capsys):
    _print_report(tmp_path, Console())
    assert "there is no report: docs/runbook.md" in capsys.readouterr().out
