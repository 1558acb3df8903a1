"""`python -m local.portfolio.check`: reads a portfolio folder as a run does, and says what it holds and what is wrong."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from local.portfolio.fields import iso_date
from local.portfolio.format import read_portfolio
from local.portfolio.problems import SHOWN
from local.portfolio.records import Portfolio
from shared.errors import BuaError
from shared.period import Period


def main(arguments: list[str] | None = None) -> int:
    """Check a portfolio; the exit status is 0 when a run would take it."""
    parser = argparse.ArgumentParser(prog="local.portfolio.check", description="Check a portfolio folder.")
    parser.add_argument("--portfolio", type=Path, required=True, help="a portfolio folder")
    add_run_date(parser)
    options = parser.parse_args(arguments)
    console = console_of(sys.stdout)
    try:
        portfolio = read(options.portfolio, options.run_date, console)
    except BuaError as error:
        show_error(error, console)
        return 1
    console.print(f"Portfolio {portfolio.folder}", markup=False, soft_wrap=True)
    console.print(_contents(portfolio))
    console.print("No problems: a run would take this portfolio.")
    return 0


def read(folder: Path, run_date: date, console: Console, period: Period | None = None) -> Portfolio:
    """Read and judge a portfolio, showing how far it is and what is odd. Raises InvalidPortfolio."""

    def progress(paths: Sequence[Path]) -> Iterable[Path]:
        return track(paths, "reading meter data", console=console, transient=True, disable=not console.is_terminal)

    portfolio = read_portfolio(folder, run_date, progress, period)
    for remark in portfolio.remarks[:SHOWN]:
        console.print(f"[yellow]note[/] {escape(remark)}", soft_wrap=True)
    if len(portfolio.remarks) > SHOWN:
        console.print(f"[yellow]note[/] ... and {len(portfolio.remarks) - SHOWN} more")
    return portfolio


def add_run_date(parser: argparse.ArgumentParser) -> None:
    """Add --run-date, which is judged as the dates of a portfolio are."""
    default = date(2026, 11, 1)
    parser.add_argument("--run-date", type=iso_date_of, default=default, help="ISO date (%(default)s)")


def console_of(stream: object) -> Console:
    """Return a console that writes every character, escaped where the terminal's encoding has none for it."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def show_error(error: BaseException, console: Console) -> None:
    """Print an error of the project's own; what it quotes is no markup."""
    console.print(f"[bold red]{type(error).__name__}[/]: {escape(str(error))}", soft_wrap=True)


def exit_status(job: Callable[[], None], console: Console) -> int:
    """Do a command's job; its exit status is 1 after an error of the project's own, 130 when it was stopped."""
    try:
        job()
    except BuaError as error:
        show_error(error, console)
        return 1
    except KeyboardInterrupt:
        console.print("[bold red]Stopped.[/] Nothing is left running.")
        return 130
    return 0


def iso_date_of(text: str) -> date:
    """Read an ISO date of the command line."""
    try:
        return iso_date(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _contents(portfolio: Portfolio) -> Table:
    table = Table(show_header=False)
    for name, amount, detail in _rows(portfolio):
        table.add_row(name, f"{amount:,}", escape(detail))
    return table


def _rows(portfolio: Portfolio) -> Iterator[tuple[str, int, str]]:
    accounts = Counter(f"{account.fuel.lower()} {account.customer_class}" for account in portfolio.accounts)
    yield "accounts", len(portfolio.accounts), _counted(accounts)
    types = Counter(f"{register.read_type.lower()} {register.stream_type}" for register in portfolio.registers)
    yield "registers", len(portfolio.registers), _counted(types)
    yield "plans", len({item.plan_code for item in portfolio.plans}), f"{len(portfolio.plans):,} prices"
    yield "invoices", len(portfolio.invoices), f"{len(portfolio.invoice_lines):,} lines"
    yield "basic reads", len(portfolio.basic_reads), _span(read.read_date for read in portfolio.basic_reads)
    data = portfolio.meter_data
    streams = {(item["pk"]["S"].split("|")[3], item["sk"]["S"][11:]) for item in data.items}
    days = (item["sk"]["S"][:10] for item in data.items)
    channels = f"{len(streams):,} channels in {data.files:,} files"
    yield "days of interval data", len(data.items), ", ".join(filter(None, (_span(days), channels)))
    if data.passed_over:
        yield "channels passed over", data.passed_over.total(), f"not energy: {_counted(data.passed_over)}"
    yield "gas volumes", len(portfolio.gas_volumes), _span(volume.date for volume in portfolio.gas_volumes)
    yield "temperatures", len(portfolio.temperatures), _span(day.date for day in portfolio.temperatures)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def _span(days: Iterable[object]) -> str:
    found = sorted(map(str, days))
    return f"{found[0]} to {found[-1]}" if found else ""


if __name__ == "__main__":
    sys.exit(main())
