"""Reads and judges a portfolio folder: all of it is sound, or InvalidPortfolio says where it is not."""

from datetime import date
from pathlib import Path
from typing import TypeVar

from local.portfolio.csv_files import read_records
from local.portfolio.problems import Problems
from local.portfolio.records import (
    Account,
    BasicRead,
    GasVolume,
    Invoice,
    InvoiceLine,
    PlanItem,
    Portfolio,
    PublicHoliday,
    Register,
    TimeClassWindow,
)
from local.portfolio.rules_accounts import check_accounts, check_public_holidays, check_registers
from local.portfolio.rules_billing import check_invoice_lines, check_invoices, check_prices
from local.portfolio.rules_plans import check_plans
from local.portfolio.rules_reads import check_basic_reads, check_gas_volumes

Record = TypeVar("Record")

REQUIRED = (
    "accounts.csv",
    "registers.csv",
    "plans.csv",
    "time_classes.csv",
    "invoices.csv",
    "invoice_lines.csv",
    "basic_reads.csv",
    "gas_volumes.csv",
)
OPTIONAL = ("public_holidays.csv",)
# The demo portfolio's answers lie beside its files; they are never read as input.
IGNORED = ("truth.csv",)
NEM12_ENDINGS = (".csv", ".csv.gz", ".zip")

RULES = (
    check_plans,
    check_accounts,
    check_registers,
    check_public_holidays,
    check_invoices,
    check_invoice_lines,
    check_basic_reads,
    check_gas_volumes,
)


def read_portfolio(folder: Path, run_date: date) -> Portfolio:
    """Return the folder's records, every one sound by itself and with all others.

    The run date tells which unbilled days will need a price. Raises InvalidPortfolio with all problems. Fields are
    judged first: rules between rows would only echo a row that could not be read.
    """
    problems = Problems()
    _check_file_names(folder, problems)
    problems.raise_if_any()
    portfolio = _read_files(folder, problems)
    problems.raise_if_any()
    for rule in RULES:
        rule(portfolio, problems)
    check_prices(portfolio, run_date, problems)
    problems.raise_if_any()
    return portfolio


def _check_file_names(folder: Path, problems: Problems) -> None:
    if not folder.is_dir():
        problems.add(str(folder), 0, "folder", "does not exist, give a folder with the portfolio's files")
        return
    for name in REQUIRED:
        if not (folder / name).is_file():
            problems.add(name, 0, "file", "is missing; where there is nothing to tell, it holds its header alone")
    known = {*REQUIRED, *OPTIONAL, *IGNORED}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() == ".csv" and path.name not in known:
            problems.add(path.name, 0, "file", f"is not part of a portfolio ({', '.join((*REQUIRED, *OPTIONAL))})")
    for path in _visible(folder / "nem12"):
        if not path.name.lower().endswith(NEM12_ENDINGS):
            problems.add(f"nem12/{path.name}", 0, "file", "is no .csv, .csv.gz or .zip, remove it")


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if not path.name.startswith("."))


def _read_files(folder: Path, problems: Problems) -> Portfolio:
    def rows(name: str, record_type: type[Record]) -> list[Record]:
        path = folder / name
        return read_records(path, record_type, problems) if path.is_file() else []

    return Portfolio(
        folder=folder,
        plans=rows("plans.csv", PlanItem),
        time_classes=rows("time_classes.csv", TimeClassWindow),
        public_holidays=rows("public_holidays.csv", PublicHoliday),
        accounts=rows("accounts.csv", Account),
        registers=rows("registers.csv", Register),
        invoices=rows("invoices.csv", Invoice),
        invoice_lines=rows("invoice_lines.csv", InvoiceLine),
        basic_reads=rows("basic_reads.csv", BasicRead),
        gas_volumes=rows("gas_volumes.csv", GasVolume),
        nem12_files=_visible(folder / "nem12"),
    )
