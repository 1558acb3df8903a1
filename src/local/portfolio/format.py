"""Reads and judges a portfolio folder: all of it is sound, or InvalidPortfolio says where it is not."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from local.portfolio.csv_files import read_records
from local.portfolio.folder import Contents, survey
from local.portfolio.meter_data import read_meter_data
from local.portfolio.problems import Problems
from local.portfolio.records import (
    Account,
    AccountPlan,
    BasicRead,
    GasVolume,
    Invoice,
    InvoiceLine,
    PlanItem,
    Portfolio,
    PublicHoliday,
    Register,
    Temperature,
    TimeClassWindow,
)
from local.portfolio.rules_accounts import check_accounts, check_public_holidays, check_registers
from local.portfolio.rules_billing import check_invoice_lines, check_invoices, check_prices
from local.portfolio.rules_plans import check_account_plans, check_plans
from local.portfolio.rules_reads import check_basic_reads, check_gas_volumes, check_temperatures
from shared.period import Period, choose

Record = TypeVar("Record")
Track = Callable[[Sequence[Path]], Iterable[Path]]

# Each rule with the files whose rows it compares: it would only echo a row that could not be read.
RULES: dict[Callable[[Portfolio, Problems], None], tuple[str, ...]] = {
    check_plans: ("plans.csv", "time_classes.csv"),
    check_accounts: ("accounts.csv", "plans.csv"),
    check_account_plans: ("account_plans.csv", "accounts.csv", "plans.csv"),
    check_registers: ("registers.csv", "accounts.csv"),
    check_public_holidays: ("public_holidays.csv",),
    check_invoices: ("invoices.csv", "accounts.csv"),
    check_invoice_lines: ("invoice_lines.csv", "invoices.csv"),
    check_basic_reads: ("basic_reads.csv", "registers.csv"),
    check_gas_volumes: ("gas_volumes.csv",),
    check_temperatures: ("temperatures.csv",),
}
PRICED = ("plans.csv", "accounts.csv", "registers.csv", "invoices.csv")


def read_portfolio(folder: Path, run_date: date, track: Track = iter, period: Period | None = None) -> Portfolio:
    """Return the folder's records and meter data, every one sound by itself and with all others.

    The period, by default the run date's own, tells which unbilled days will need a price. track is handed the meter data files and gives them back
    one by one, as a progress bar does. Raises InvalidPortfolio with all problems.
    """
    problems = Problems()
    contents = survey(folder, problems)
    portfolio = _read(contents, folder, track, problems)
    sound = {name for name in contents.tables if problems.free_of([name])}
    for rule, files in RULES.items():
        if sound.issuperset(files):
            rule(portfolio, problems)
    if sound.issuperset(PRICED) and problems.free_of(["account_plans.csv"]):
        chosen = period or choose(run_date)
        check_prices(portfolio, (chosen.from_date, chosen.to_date), problems)
    problems.raise_if_any()
    return portfolio


def _read(contents: Contents, folder: Path, track: Track, problems: Problems) -> Portfolio:
    def rows(name: str, record_type: type[Record]) -> list[Record]:
        path = contents.tables.get(name)
        return read_records(path, record_type, problems) if path else []

    registers = rows("registers.csv", Register)
    known = registers if "registers.csv" in contents.tables and problems.free_of(["registers.csv"]) else None
    meter_data = read_meter_data(track(contents.meter_files), known, contents.remarks, problems)
    return Portfolio(
        folder=folder,
        plans=rows("plans.csv", PlanItem),
        time_classes=rows("time_classes.csv", TimeClassWindow),
        public_holidays=rows("public_holidays.csv", PublicHoliday),
        accounts=rows("accounts.csv", Account),
        account_plans=rows("account_plans.csv", AccountPlan),
        registers=registers,
        invoices=rows("invoices.csv", Invoice),
        invoice_lines=rows("invoice_lines.csv", InvoiceLine),
        basic_reads=rows("basic_reads.csv", BasicRead),
        gas_volumes=rows("gas_volumes.csv", GasVolume),
        temperatures=rows("temperatures.csv", Temperature),
        meter_data=meter_data,
        remarks=contents.remarks,
    )
