"""`make backtest`: earlier month ends of a portfolio folder, judged by what was read later."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from local.backtest import report
from local.backtest.compare import backtest
from local.backtest.known import History, Reads
from local.backtest.months import over_all, run_dates
from local.backtest.picture import draw
from local.platform.nem12_reader import read_path
from local.portfolio.check import console_of, exit_status, read
from local.portfolio.folder import survey
from local.portfolio.problems import Problems
from shared.errors import InvalidInput
from shared.telemetry import logger


def _meter_files(folder: Path) -> list[Path]:
    return survey(folder, Problems()).meter_files


def _days(text: str) -> int:
    days = int(text)
    if not 0 <= days <= 366:
        raise argparse.ArgumentTypeError("is not a number of days from 0 to 366")
    return days


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make backtest", description="Earlier month ends, judged by later reads.")
    parser.add_argument("--portfolio", type=Path, required=True, help="a portfolio folder")
    parser.add_argument("--from", dest="first", required=True, help="the first month, such as 2013-03")
    parser.add_argument("--to", dest="last", required=True, help="the last month")
    parser.add_argument(
        "--lag",
        type=_days,
        help="days that every interval meter lacks at a month end (as many as at the folder's own end)",
    )
    parser.add_argument("--out", type=Path, default=Path("out"), help="where table and picture go (%(default)s)")
    return parser


def _run(options: argparse.Namespace, console: Console) -> None:
    dates = run_dates(options.first, options.last)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"OUT={options.out} cannot be a folder ({error.strerror}), give another") from error
    if not os.access(options.out, os.W_OK):
        raise InvalidInput(f"OUT={options.out} cannot be written to, give another")
    portfolio = read(options.portfolio, dates[-1], console, over_all(dates))
    reads = Reads.of(file for path in _meter_files(options.portfolio) for file in read_path(path))
    history = History.of(portfolio, reads, options.lag)
    with tempfile.TemporaryDirectory(prefix="bua-backtest-") as place:
        observations, coverage, bands = backtest(history, dates, Path(place) / "server", console)
    found = list(report.lines(observations))
    report.print_summary(found, coverage, bands, observations, console)
    report.write_files(found, observations, coverage, options.out)
    report.write_bands(bands, options.out)
    draw(found, options.out / "backtest.png")
    console.print(
        f"written to {options.out}: backtest.csv, backtest_months.csv, backtest_accounts.csv, backtest_bands.csv, backtest.png"
    )


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, say where the results are; the exit status is 0 when there are some."""
    options = _parser().parse_args(arguments)
    console = console_of(sys.stdout)
    logger.setLevel("ERROR")
    return exit_status(lambda: _run(options, console), console)


if __name__ == "__main__":
    sys.exit(main())
