"""What of a portfolio was known when."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.local.backtest import street
from tests.local.backtest.conftest import read_history

from local.backtest.known import History, NothingKnown, Reads
from local.platform.nem12_reader import read_path

RUN_DATE = date(2025, 6, 1)  # the month end of 31 May


@pytest.fixture(scope="module")
def known(history):
    return history.at(RUN_DATE)


def days_of(known, home: int) -> list[str]:
    return [item["sk"]["S"][:10] for item in known.meter_data.items if street.site(home) in item["pk"]["S"]]


def test_bills_count_by_their_date_of_issue(history, known):
    assert {i.issued_date for i in known.invoices} == {
        date(2024, 7, 3), date(2024, 10, 3), date(2025, 1, 3), date(2025, 4, 3),
    }  # fmt: skip
    assert {line.invoice_id for line in known.invoice_lines} == {i.invoice_id for i in known.invoices}
    # The bill to 30 June is issued on 3 July: unknown on 1 July, known on 1 August.
    assert max(i.to_date for i in history.at(date(2025, 7, 1)).invoices) == date(2025, 3, 31)
    assert max(i.to_date for i in history.at(date(2025, 8, 1)).invoices) == date(2025, 6, 30)


def test_index_reads_count_by_their_date(history, known):
    assert max(read.read_date for read in known.basic_reads) == date(2025, 4, 1)
    # The read of the run date itself is taken during that day.
    assert max(read.read_date for read in history.at(date(2025, 7, 1)).basic_reads) == date(2025, 4, 1)


def test_interval_days_end_before_the_days_that_a_meter_is_behind(known):
    assert max(days_of(known, 1)) == "2025-05-26"


def test_a_meter_is_as_far_behind_as_at_the_folders_end(tmp_path):
    folder = street.write(tmp_path / "street")
    behind = {street.FIRST + timedelta(days=n): "0.500" for n in range((street.LAST - street.FIRST).days + 1 - 3)}
    street.nem12(folder / "nem12" / "2.csv", 2, behind)
    known = read_history(folder).at(RUN_DATE)
    assert max(days_of(known, 1)) == "2025-05-31"  # arrives on 1 June, the run date
    assert max(days_of(known, 2)) == "2025-05-28"


def test_a_meter_that_has_ended_is_not_behind(history):
    registers = [replace(r, end_date=date(2025, 6, 30)) if r.line == 2 else r for r in history.portfolio.registers]
    versions = {
        stream: {day: v for day, v in days.items() if stream[0] != street.site(1) or day <= date(2025, 6, 30)}
        for stream, days in history.reads.versions.items()
    }
    found = History.of(replace(history.portfolio, registers=registers), Reads(versions))
    assert set(found.behind.values()) == {0}


def test_a_day_counts_as_it_had_been_delivered_by_the_run_date(tmp_path):
    day = date(2025, 5, 10)
    for name, value, updated in (
        ("b.csv", "0.500", date(2025, 5, 11)), ("a.csv", "0.700", date(2025, 6, 1)), ("c.csv", "9.000", date(2025, 6, 2)),
    ):  # fmt: skip
        street.nem12(tmp_path / name, 1, {day: value}, updated)
    reads = Reads.of(file for path in sorted(tmp_path.iterdir()) for file in read_path(path))

    def known_on(run_date: date) -> list[str]:
        return [item["file"]["S"] for item in reads.known({(street.site(1), "E1"): date(2025, 12, 31)}, run_date)]

    found = [
        known_on(run_date) for run_date in (date(2025, 5, 1), date(2025, 5, 11), date(2025, 6, 1), date(2025, 6, 2))
    ]
    assert found == [[], ["b.csv"], ["a.csv"], ["c.csv"]]


def test_what_ends_or_begins_later_is_not_known(history):
    portfolio = history.portfolio
    first, second, *others = portfolio.accounts
    changed = replace(
        portfolio,
        accounts=[replace(first, close_date=date(2025, 6, 10)), replace(second, close_date=date(2025, 5, 20)), *others],
        registers=[replace(portfolio.registers[0], end_date=RUN_DATE), *portfolio.registers[1:]],
    )
    known = replace(history, portfolio=changed).at(RUN_DATE)
    assert [account.close_date for account in known.accounts[:2]] == [None, date(2025, 5, 20)]
    assert known.registers[0].end_date is None
    later = replace(portfolio, accounts=[replace(first, open_date=RUN_DATE), second, *others])
    known = replace(history, portfolio=later).at(RUN_DATE)
    assert first.account_id not in {account.account_id for account in known.accounts}
    assert not [i for i in known.invoices if i.account_id == first.account_id]
    assert not [r for r in known.registers if r.site_id == first.site_id]


@pytest.mark.parametrize(
    ("run_date", "message"),
    [
        (date(2024, 4, 1), "nothing had been read by 2024-03-31"),
        (date(2025, 9, 1), "nothing was read after 2025-08-31 that could be compared"),
    ],
)
def test_a_month_without_data_is_named(history, run_date, message):
    with pytest.raises(NothingKnown, match=message):
        history.at(run_date)
