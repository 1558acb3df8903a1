"""Runs month ends of a portfolio through the functions' own code, each in a database that holds what was known then.

All databases are copies of one with both schemas and without a row. So nothing that is later than a month's end can be
seen from it: it was never there.
"""

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from psycopg2 import sql
from psycopg2.extras import execute_values

from local.backtest.bands import Band
from local.performance.cloud import RunStore
from local.performance.month import Month, Stage, Unmeasured, stages
from local.performance.server import MASTER, NAME, Sessions
from local.platform.aggregation import aggregate
from local.portfolio.load import load_portfolio
from local.portfolio.records import Portfolio
from shared.metering.interval_store import Item, decode_items
from shared.period import Period

HERE = Path(__file__).parent
BANDS = (
    "select fuel, units_estimated - units_without_band, units_low_80, units_high_80, units_low_95, units_high_95"
    " from bua.estimate_band where run_date = %s and level = 'FUEL' and units_low_80 is not null order by fuel"
)
LAST_STAGE = "PrepareExport"  # after it an account's units are known

Progress = Callable[[int, int], None]


@dataclass
class KnownReads(RunStore):
    """EARL's interval store, as far as it was filled."""

    seconds: float = 0.0

    @classmethod
    def of(cls, items: Iterable[Item]) -> "KnownReads":
        """A store of these items."""
        store = cls()
        for item in items:
            store.items[item["pk"]["S"]][item["sk"]["S"]] = dict(item)
        return store


class Estimate(NamedTuple):
    """What a month end says about an account, and what simpler ways would have said; units are kWh or MJ."""

    account_id: str
    fuel: str
    segment: str
    method: str
    unbilled: str  # datemultirange
    units_actual: Decimal
    units_total: Decimal
    last_bill: Decimal | None  # the last bill's average on the missing days
    last_year: Decimal | None  # the same days 52 weeks before
    limits: tuple[Decimal | None, ...]  # of what was estimated: low and high of 80 %, low and high of 95 %


class Truth(NamedTuple):
    """What was read later of an account's unbilled days; settled: of all of them."""

    units: Decimal
    settled: bool


class MonthEnd(NamedTuple):
    """What a run of a month end says."""

    estimates: list[Estimate]
    bands: list[Band]  # of the fuels that have one


class Engine:
    """Month ends on one server."""

    def __init__(self, template: Sessions) -> None:
        self._server = template.server
        template.close()

    def month_end(self, known: Portfolio, run_date: date, progress: Progress) -> MonthEnd:
        """Estimate every account that has something to be estimated, and how far all of it may be off."""
        with self._database(f"known_{run_date:%Y_%m}", known, run_date, None) as sessions:
            wanted = [stage for stage in stages() if stage.step != "warming"]
            wanted = wanted[: [stage.name for stage in wanted].index(LAST_STAGE) + 1]
            self._perform(sessions, known, run_date, wanted, progress)
            with closing(sessions.connect(MASTER)) as connection, connection.cursor() as cursor:
                cursor.execute("call bua.create_estimate_bands(%s)", (run_date,))
                _read_days(cursor, run_date)
                cursor.execute((HERE / "estimates.sql").read_text(encoding="utf-8"), {"run_date": run_date})
                estimates = [Estimate._make((*row[:9], row[9:])) for row in cursor.fetchall()]
                cursor.execute(BANDS, (run_date,))
                return MonthEnd(estimates, [Band(fuel, *map(float, limits)) for fuel, *limits in cursor.fetchall()])

    @contextlib.contextmanager
    def truths(self, portfolio: Portfolio, run_date: date, period: Period, progress: Progress) -> Iterator["Truths"]:
        """What was read at last, from the whole portfolio; its profile shares out what was read of several days."""
        with self._database("settled", portfolio, run_date, period) as sessions:
            wanted = [stage for stage in stages() if stage.step == "segments"]
            self._perform(sessions, portfolio, run_date, wanted, progress)
            with closing(sessions.connect(MASTER)) as connection, connection.cursor() as cursor:
                _read_days(cursor, run_date)
                yield Truths(cursor)

    @contextlib.contextmanager
    def _database(self, name: str, portfolio: Portfolio, run_date: date, period: Period | None) -> Iterator[Sessions]:
        """A database of a portfolio's rows, with its run prepared; dropped at the end."""
        identifier = sql.Identifier(name)
        create = sql.SQL("create database {} template {} owner {}")
        self._server.execute(create.format(identifier, sql.Identifier(NAME), sql.Identifier(MASTER)))
        sessions = Sessions(self._server, name)
        try:
            with closing(sessions.connect(MASTER)) as connection:
                load_portfolio(connection, portfolio)
                aggregate(connection, decode_items(portfolio.meter_data.items))
                with connection.cursor() as cursor:
                    chosen = (period.from_date, period.to_date, period.as_at) if period else (None, None, None)
                    cursor.execute("call bua.prepare_run(%s, %s, %s, %s)", (run_date, *chosen))
                connection.commit()
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute("vacuum analyze")
            yield sessions
        finally:
            sessions.close()
            self._server.execute(sql.SQL("drop database {} with (force)").format(identifier))

    @staticmethod
    def _perform(
        sessions: Sessions, portfolio: Portfolio, run_date: date, wanted: list[Stage], progress: Progress
    ) -> None:
        store = KnownReads.of(portfolio.meter_data.items)
        # An account that fails has nothing booked, and is judged by that.
        month = Month(sessions, store, run_date, Unmeasured(), acceptable=1)
        for number, stage in enumerate(wanted, start=1):
            # The functions' metrics are written to stdout, where the bar is.
            with contextlib.redirect_stdout(io.StringIO()):
                for _ in month.run(stage, lambda done, of: None):  # noqa: ARG005
                    pass
            progress(number, len(wanted))


def _read_days(cursor: Any, run_date: date) -> None:
    cursor.execute((HERE / "known_days.sql").read_text(encoding="utf-8"), {"run_date": run_date})


@dataclass
class Truths:
    """Answers what was read of unbilled days."""

    cursor: Any

    def of(self, estimates: Iterable[Estimate]) -> dict[str, Truth]:
        """The truth of each account's unbilled days, by account."""
        self.cursor.execute(
            "drop table if exists pg_temp.asked; create temporary table asked (account_id text, unbilled datemultirange)"
        )
        rows = [(estimate.account_id, estimate.unbilled) for estimate in estimates]
        execute_values(self.cursor, "insert into pg_temp.asked values %s", rows)
        self.cursor.execute((HERE / "truths.sql").read_text(encoding="utf-8"))
        return {account_id: Truth(units, settled) for account_id, units, settled in self.cursor.fetchall()}
