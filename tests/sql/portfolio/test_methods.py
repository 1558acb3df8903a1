"""Every method of docs/arithmetic.md in one run of a folder, account by account against the independent reading of it."""

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.conftest import Database
from tests.independent.accrual import Reading
from tests.sql.portfolio.whole_run import load, run

from local.demo import write_demo
from local.portfolio.format import read_portfolio

RUN_DATE = date(2026, 11, 1)
METHODS = {
    "RECENT_DAYS", "READS", "READS_SEASON", "BASE_AND_SEASON", "DEGREE_DAYS", "OLDER_READS", "OTHER_METER", "INVOICES",
    "LAST_YEAR", "OWN_DAILY_MEAN", "SEGMENT_AVERAGE", "GIANT_DAILY_MEAN", "DELIVERED_ESTIMATE", "ACTUAL",
}  # fmt: skip


def add(folder: Path, name: str, *row: object) -> None:
    with (folder / f"{name}.csv").open("a", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow(row)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo, and a home of which only the days of a year ago that are missing now were ever read: 9.6 kWh each."""
    path = tmp_path / "demo"
    write_demo(path, accounts=200, seed=7, run_date=RUN_DATE)
    nmi = "4199999999"
    account = ("LY", "ELECTRICITY", "RES", "NSW", "MASS_MARKET", nmi, "NSWTNI1", "HOME-FLAT", "2025-10-01", "", 91)
    add(path, "accounts", *account, "2027-02-01")
    add(path, "registers", nmi, "MLY", "E1", "E1", "PRIMARY", "INTERVAL", "KWH", "", "2025-10-01", "")
    add(path, "invoices", "LY-1", "LY", "2025-10-01", "2026-10-22", "2026-10-24", "true", "false")
    days = [date(2025, 10, 23) + timedelta(days=n) for n in range(10)]
    records = [f"300,{day:%Y%m%d},{','.join(['0.2'] * 48)},A,,,20251110000000," for day in days]
    lines = ["100,NEM12,202611010000,MDP1,RETAILER", f"200,{nmi},E1,E1,E1,N1,MLY,KWH,30,", *records, "900"]
    (path / "nem12" / "last-year.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_each_account_by_its_method(bua_database: Database, folder: Path) -> None:
    """Units to 0.1 %, but never finer than rounding can be."""
    portfolio = read_portfolio(folder, RUN_DATE)
    with bua_database.connect() as connection:
        load(connection, portfolio)
        ours = run(connection, portfolio, RUN_DATE.isoformat(), "2025-11-01", "2026-10-31", "2026-10-31")
    theirs = {key: result for key, result in Reading(folder, RUN_DATE).results.items() if not result.problem}
    assert set(ours) == set(theirs)
    methods = Counter(found.method for found in ours.values())
    assert set(methods) == METHODS
    different = []
    for key, result in theirs.items():
        for name in ("actual", "estimated"):
            expected, got = result.units(name.upper()), float(getattr(ours[key], f"units_{name}"))
            if abs(got - expected) > max(0.001 * expected, 0.02):
                different.append((key, name, expected, got, ours[key], result.methods, result.scalars))
        if len(result.methods) == 1 and ours[key].method not in result.methods:
            different.append((key, "method", ours[key], result.methods))
    assert different == []
