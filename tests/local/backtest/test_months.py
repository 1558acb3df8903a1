"""The list of month ends, and what a caller gets wrong about it."""

from datetime import date

import pytest

from local.backtest.__main__ import main
from local.backtest.months import over_all, run_dates
from shared.errors import InvalidInput
from shared.period import Period


def test_month_ends_are_run_on_the_first_of_the_next_month():
    assert run_dates("2013-11", "2014-02") == [date(2013, 12, 1), date(2014, 1, 1), date(2014, 2, 1), date(2014, 3, 1)]
    assert run_dates("2024-02", "2024-02") == [date(2024, 3, 1)]


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2014-01", "2013-12", "FROM=2014-01 is after TO=2013-12"),
        ("2013-13", "2014-01", "FROM=2013-13 is not a month"),
        ("2013-01", "2013-1", "TO=2013-1 is not a month"),
        ("2013-01-01", "2013-02", "FROM=2013-01-01 is not a month"),
    ],
)
def test_months_that_cannot_be_are_refused(first, last, message):
    with pytest.raises(InvalidInput, match=message):
        run_dates(first, last)


def test_the_period_over_all_holds_each_runs_own():
    # The twelve months that end with 31 March 2013, and with 31 May 2013.
    assert over_all(run_dates("2013-03", "2013-05")) == Period(date(2012, 4, 1), date(2013, 5, 31), date(2013, 5, 31))


def test_a_wrong_request_ends_with_one_line(tmp_path, capsys):
    options = ["--portfolio", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*options, "--from", "2014-01", "--to", "2013-12"]) == 1
    assert "FROM=2014-01 is after TO=2013-12" in capsys.readouterr().out


def test_months_without_data_end_with_one_line(street_folder, tmp_path, capsys):
    options = ["--portfolio", str(street_folder), "--out", str(tmp_path / "out")]
    assert main([*options, "--from", "2024-03", "--to", "2024-05"]) == 1
    assert "nothing had been read by 2024-03-31" in capsys.readouterr().out
