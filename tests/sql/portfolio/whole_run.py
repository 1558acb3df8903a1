"""A run of a portfolio folder in SQL alone, from interval reads to the export: no queue, no file, every step of the chain."""

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from tests.sql.accrue import accrue
from tests.sql.builder import Book

from local.platform.aggregation import aggregate
from local.portfolio.load import load_portfolio
from local.portfolio.records import Portfolio
from shared.metering.interval_store import decode_items
from shared.metering.plausibility import Limits
from shared.steps.utility_profile import Reading, Register, assign, believe, write
from shared.work.messages import Work

SEGMENT_STEPS = ("SegmentJurisdictionAvgExclEst", "SegmentJurisdictionCheck", "SegmentJurisdictionFix")


class Accrued(NamedTuple):
    """What a run says of an account."""

    units_actual: Decimal
    units_estimated: Decimal
    net_amount: Decimal
    method: str
    flags: str


def load(connection: Any, portfolio: Portfolio) -> None:
    """The platform's database with the portfolio, as the snapshot has it."""
    with connection.cursor() as cursor:
        cursor.execute("grant lambda, workflow to core_admin with inherit false, set true")
    load_portfolio(connection, portfolio)
    aggregate(connection, decode_items(portfolio.meter_data.items))
    connection.commit()
    with connection.cursor() as cursor:
        cursor.execute("analyze")  # as the warming does
    connection.commit()


def run(connection: Any, portfolio: Portfolio, run_date: str, *chosen: str) -> dict[str, Accrued]:
    """Accrue a period (FROM, TO, AS_AT); what is accrued of each account whose units can be worked out."""
    book = Book(connection, run_date)
    book.rows("call bua.prepare_run(%s, %s, %s, %s)", run_date, *chosen)
    profile(book, portfolio)
    for step in SEGMENT_STEPS:
        book.rows("call bua.reset_run_type(%s, %s)", run_date, step)
        items = [item for (item,) in book.rows("select item_key from bua.list_work_items(%s, %s)", run_date, step)]
        book.call("work_off", step, items)
    book.call("import_gas_volumes_profile_creation")
    book.call("bua_create_macro_profile")
    accrue(book, *[account for (account,) in book.ask("bua_list_unbilled_accounts", columns="account_id")])
    rows = book.rows(
        f"select account_id, {', '.join(Accrued._fields)} from bua.account_summary"
        " where run_date = %s and flags !~ 'SUPPLY_ONLY'",
        run_date,
    )
    connection.commit()
    return {account: Accrued(*columns) for account, *columns in rows}


def profile(book: Book, portfolio: Portfolio) -> None:
    """What site-data makes of the interval store."""
    registers: dict[str, list[Register]] = defaultdict(list)
    columns = ", ".join(Register._fields)
    for row in book.rows(f"select {columns} from bua.bua_list_profile_registers(%s)", book.run_date):
        registers[row[0]].append(Register(*row))
    items: dict[str, list[Any]] = defaultdict(list)
    for item in portfolio.meter_data.items:
        items[item["pk"]["S"].split("|")[3]].append(item)
    limits = Limits(*(book.value("select bua.parameter(%s)", f"implausible_{name}") for name in Limits._fields))
    sites = {
        site: believe(assign(site, decode_items(items[site]), wanted), limits)
        for site, wanted in registers.items()
        if items[site]
    }
    work = Work(run_date=date.fromisoformat(book.run_date), run_type="UtilityProfile", attempt="one", batch_no=1,
                items=sorted(sites))  # fmt: skip
    read_at = datetime(2026, 11, 1, 1, tzinfo=UTC)
    with book.connection.cursor() as cursor:
        write(sites, Reading("intervals", read_at, read_at))(cursor, work, work.items)
