"""FROM, TO and AS_AT: a run of a folder finds the days, units and dollars of the independent reading of the same folder."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_postgresql.executors import NoopExecutor
from pytest_postgresql.janitor import DatabaseJanitor
from tests.conftest import Database
from tests.independent.accrual import Reading
from tests.independent.compare import gross
from tests.sql.portfolio.whole_run import load, run

from local.demo import write_demo
from local.portfolio.format import read_portfolio
from local.portfolio.load import load_portfolio
from local.portfolio.records import Portfolio

RUN_DATE = date(2026, 11, 1)
PERIODS = {
    "2026-05-01": ("2026-04-01", "2026-04-30", "2026-04-30"),  # a single month
    "2026-10-01": ("2026-04-01", "2026-09-30", "2026-09-30"),  # two quarters
    "2026-11-01": ("2026-03-20", "2026-10-18", "2026-10-18"),  # across both changes of the clocks
    "2026-10-02": ("2025-10-01", "2026-09-30", "2026-10-07"),  # as at a week after TO
    "2026-08-01": ("2026-07-15", "2026-07-15", "2026-11-30"),  # a day, as at months later
}
FOUND = """
    select u.account_id, (select array_agg(d::date order by d) from unnest(u.unbilled) w,
                          generate_series(lower(w)::timestamp, upper(w) - interval '1 day', '1 day') d)
    from bua.bua_list_unbilled_accounts(%s) u
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo")
    write_demo(path, accounts=130, seed=7, run_date=RUN_DATE)
    return path


@pytest.fixture(scope="module")
def portfolio(folder: Path) -> Portfolio:
    return read_portfolio(folder, RUN_DATE)


@pytest.fixture(scope="module")
def connection(bua_template: NoopExecutor, portfolio: Portfolio) -> Iterator[Any]:
    """To a database with the portfolio, for runs of any period: none reads what another made."""
    janitor = DatabaseJanitor(
        user=bua_template.user, password=bua_template.password, host=bua_template.host, port=bua_template.port,
        dbname="periods_test", template_dbname=bua_template.template_dbname,
    )  # fmt: skip
    with janitor, Database(bua_template.host, bua_template.port, janitor.dbname).connect() as connection:
        load(connection, portfolio)
        yield connection


def test_the_unbilled_days_of_odd_periods(bua_database: Database, folder: Path) -> None:
    different = []
    with bua_database.connect() as connection, connection.cursor() as cursor:
        load_portfolio(connection, read_portfolio(folder, RUN_DATE))
        for run_date, chosen in PERIODS.items():
            cursor.execute("call bua.prepare_run(%s, %s, %s, %s)", (run_date, *chosen))
            cursor.execute(FOUND, (run_date,))
            ours = dict(cursor.fetchall())
            reading = Reading(folder, RUN_DATE, *map(date.fromisoformat, chosen))
            theirs = {}
            for account in reading.folder.accounts:
                days = [reading.folder.date(i) for i in np.flatnonzero(reading.unbilled_days(account))]
                if days:
                    theirs[account.account_id] = days
            assert len(ours) >= 5, run_date
            different += [(run_date, key) for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
    assert different == []


@pytest.mark.parametrize("run_date", PERIODS)
def test_the_units_and_dollars_of_odd_periods(
    connection: Any, portfolio: Portfolio, folder: Path, run_date: str
) -> None:
    """Each account to 0.1 %, but never finer than rounding can be; and nearly none is left out."""
    ours = run(connection, portfolio, run_date, *PERIODS[run_date])
    reading = Reading(folder, RUN_DATE, *map(date.fromisoformat, PERIODS[run_date]))
    theirs = {key: result for key, result in reading.results.items() if not result.problem}
    assert set(ours) >= set(theirs)
    assert len(reading.results) - len(theirs) <= 2
    different = []
    for key, result in theirs.items():
        for name in ("actual", "estimated"):
            expected, got = result.units(name.upper()), float(getattr(ours[key], f"units_{name}"))
            if abs(got - expected) > max(0.001 * expected, 0.02):
                different.append((key, name, expected, got, ours[key], result.methods, result.scalars))
        expected, got = float(result.net), float(ours[key].net_amount)
        if abs(got - expected) > max(0.001 * gross(result), 0.02):
            different.append((key, "net", expected, got, ours[key], result.methods, result.scalars))
    assert different == []
