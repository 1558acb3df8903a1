"""FROM, TO and AS_AT: the days that a run finds unbilled are those of the independent reading of the same folder."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Database
from tests.independent.accrual import Reading

from local.demo import write_demo
from local.portfolio.format import read_portfolio
from local.portfolio.load import load_portfolio

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
