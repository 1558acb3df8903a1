"""Three month ends of the street, through the whole chain, against errors worked out by hand."""

import os
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from rich.console import Console
from tests.local.backtest import street

from local.backtest.compare import backtest
from local.backtest.engine import Engine
from local.backtest.known import Reads, Version
from local.backtest.months import run_dates
from local.performance.server import MASTER, installed
from shared.metering.interval_store import DayReads, encode_day

os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "backtest")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "backtest")
MAY, JUNE, JULY = run_dates("2025-05", "2025-07")


@pytest.fixture(scope="module")
def found(history, tmp_path_factory):
    observations, coverage, bands = backtest(
        history, [MAY, JUNE, JULY], tmp_path_factory.mktemp("street"), Console(quiet=True)
    )
    return {(o.run_date, o.account_id): o for o in observations}, coverage, bands


def test_constant_users_are_estimated_without_an_error(found):
    observations, *_ = found
    # Half a kWh a half-hour on five missing days; 10 kWh a day on 30 + 31 days of April and May, and on 91 to June.
    for run_date in (MAY, JUNE, JULY):
        one = observations[run_date, "1"]
        assert (one.missing, one.estimates["product"]) == pytest.approx((120, 120), abs=0.01)
    for run_date, units in ((MAY, 610), (JUNE, 910)):
        one = observations[run_date, "21"]
        assert (one.missing, one.estimates["product"]) == pytest.approx((units, units), abs=0.01)


def test_a_user_who_doubled_is_half_missed(found):
    observations, *_ = found
    # Home 22 used 10 kWh a day until March and 20 since: 61 and 91 days are unread.
    for run_date, days in ((MAY, 61), (JUNE, 91)):
        one = observations[run_date, "22"]
        assert (one.missing, one.estimates["product"]) == pytest.approx((20 * days, 10 * days), abs=0.01)


def test_what_happened_on_hidden_days_is_not_known(found):
    observations, *_ = found
    # 27 to 31 May: home 7 used 48 kWh a day, home 8 nothing. Both are expected to use 24.
    for home, used in (("7", 240), ("8", 0)):
        one = observations[MAY, home]
        assert (one.missing, one.estimates["product"]) == pytest.approx((used, 120), abs=0.01)


def test_eight_interval_homes_are_too_few_for_a_band(found):
    *_, bands = found
    assert bands == []


def test_simpler_ways_know_no_more(found):
    observations, *_ = found
    # Bills of 12 kWh a day; 15 kWh a day between the reads of 1 April and 1 July 2024, where the days 52 weeks before lie
    # (2 April to 1 June). For June they reach into the day of the read: 90 days of it, and one of the quarter after, 10 kWh.
    assert observations[MAY, "22"].estimates["last bill"] == pytest.approx(61 * 12, abs=0.01)
    assert observations[MAY, "22"].estimates["last year"] == pytest.approx(61 * 15, abs=0.01)
    assert observations[JUNE, "22"].estimates["last year"] == pytest.approx(90 * 15 + 10, abs=0.01)
    assert observations[MAY, "7"].estimates["last bill"] == pytest.approx(5 * 24, abs=0.01)


def test_methods_and_segments_are_the_runs_own(found):
    observations, *_ = found
    assert {(o.segment, o.method) for o in observations.values()} == {("QLD RES", "RECENT_DAYS"), ("QLD RES", "READS")}


def test_an_account_counts_once_all_of_it_was_read(found):
    observations, coverage, _ = found
    # The basic meters are not read after July.
    assert [(one.run_date, one.with_missing, one.settled) for one in coverage] == [
        (MAY, 10, 10),
        (JUNE, 10, 10),
        (JULY, 10, 8),
    ]
    assert (JULY, "21") not in observations


def unseen(done: int, of: int) -> None:
    """Nobody watches."""


def poisoned(history, run_date: date):
    """The street with absurd values on everything that was not known on the run date."""
    end, portfolio = run_date - timedelta(days=1), history.portfolio
    item = {
        home: encode_day(
            DayReads(nmi=street.site(home), suffix="E1", day=end, interval_minutes=30, scale=0, values=[30] * 48,
                     quality_runs="1-48:A", uom="KWH", file="poison.csv", updated="2099-01-01T00:00:00")
        )
        for home in street.INTERVAL
    }  # fmt: skip
    versions = {}
    for stream, days in history.reads.versions.items():
        absurd = item[int(stream[0][2:])]
        versions[stream] = {
            day: [
                Version(v.updated, absurd | {"sk": v.item["sk"]} if day > end - timedelta(days=5) else v.item)
                for v in old
            ]
            for day, old in days.items()
        }
        # A day that was known is delivered anew, later.
        known = date(2025, 5, 10)
        versions[stream][known].append(
            Version(datetime(2025, 6, 15), absurd | {"sk": versions[stream][known][0].item["sk"]})  # noqa: DTZ001
        )
    late = {i.invoice_id for i in portfolio.invoices if i.issued_date > end}
    newcomer = replace(portfolio.accounts[0], account_id="99", site_id=street.site(99), open_date=run_date)
    return replace(
        history,
        portfolio=replace(
            portfolio,
            accounts=[*(replace(a, close_date=run_date + timedelta(days=40)) for a in portfolio.accounts), newcomer],
            registers=[
                *(replace(r, end_date=run_date + timedelta(days=40)) for r in portfolio.registers),
                replace(portfolio.registers[0], site_id=street.site(99), meter_serial="M99", start_date=run_date),
                replace(portfolio.registers[-1], register_id="12", suffix="12", start_date=run_date),
            ],
            invoices=[replace(i, from_date=street.FIRST) if i.invoice_id in late else i for i in portfolio.invoices],
            invoice_lines=[
                replace(line, quantity=Decimal(10**6)) if line.invoice_id in late else line for line in portfolio.invoice_lines
            ],
            basic_reads=[
                replace(r, index_value=r.index_value + 5000) if r.read_date > end else r for r in portfolio.basic_reads
            ],
        ),
        reads=Reads(versions),
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with installed(tmp_path_factory.mktemp("engine") / "server") as sessions:
        yield sessions


@pytest.fixture(scope="module")
def before(history, server):
    return Engine(server).month_end(history.at(MAY), MAY, unseen).estimates


def test_nothing_later_leaks_into_a_month_end(history, server, before):
    absurd, engine = poisoned(history, MAY), Engine(server)
    assert len(before) == 10
    assert engine.month_end(absurd.at(MAY), MAY, unseen).estimates == before
    # Two months later the same values are known, so they are seen.
    later = {one.account_id: one.units_total for one in engine.month_end(absurd.at(JULY), JULY, unseen).estimates}
    assert later["22"] > 5000


def test_an_account_that_fails_has_nothing_booked(history, server, before):
    with closing(server.connect(MASTER)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "create function bua.refuse() returns trigger language plpgsql as"
            " $$ begin raise exception 'no scalar for %', new.account_id; end $$;"
            "create trigger refuse before insert on bua.micro_scalar for each row when (new.account_id = '22')"
            " execute function bua.refuse()"
        )
        connection.commit()
    try:
        after = {one.account_id: one for one in Engine(server).month_end(history.at(MAY), MAY, unseen).estimates}
    finally:
        server.server.execute("drop function bua.refuse() cascade", database=server.name)
    assert (after.pop("22").units_total, len(after)) == (0, 9)
    assert list(after.values()) == [one for one in before if one.account_id != "22"]
