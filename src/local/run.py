"""`python -m local.run`: a month end on this machine, from a portfolio folder to the accrued revenue export.

It runs what production runs, on the local stack: packaged functions, rendered state machines and SQL, from EARL's
schedule to the CSV files. Without a portfolio a seeded demo portfolio is generated first.
"""

import argparse
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from artifacts import zips
from local import outputs, previous, report
from local.aws import names
from local.demo import write_demo
from local.portfolio.check import add_run_date, console_of, exit_status, iso_date_of, read
from local.portfolio.production import load_production
from local.portfolio.records import Portfolio
from local.stack import LocalStack
from local.watch import follow
from shared import period
from shared.errors import InvalidInput
from shared.ledger import Ledger

DEMO_ACCOUNTS = 360
DEMO_SEED = 1


def main(arguments: list[str] | None = None) -> int:
    """Run a month end; the exit status is 0 when its export is complete."""
    options = _parser().parse_args(arguments)
    console = console_of(sys.stdout)
    return exit_status(lambda: _run(options, console), console)


def _run(options: argparse.Namespace, console: Console) -> None:
    folder: Path = options.portfolio or options.work / "demo"
    chosen = period.choose(options.run_date, options.from_date, options.to_date, options.as_at)
    before = previous.read(options.previous, options.run_date) if options.previous else None
    _make_room(options.out)
    given = _read(options, folder, chosen, console) if options.portfolio else None  # one that is refused starts nothing
    with _starting(options.work) as started:
        portfolio = given or _demo(options, folder, chosen, console)
        with console.status("starting the local stack ...") as status:
            stack = started()
            status.update("loading the portfolio into production ...")
            load_production(stack, portfolio)
            if before:
                previous.put(stack.client("ANSTEAD", "s3"), before)
        # EARL's announcement brings no period; one that the ledger has for the run counts.
        Ledger(stack.client("ANSTEAD", "dynamodb"), names.CONTROL_TABLE).set_run(options.run_date, asdict(chosen))
        steps = follow(stack, options.run_date, console)
        outputs.collect(stack.client("ANSTEAD", "s3"), options.run_date, options.out)
    if not (options.out / "report.html").is_file():
        console.print(
            "[yellow]note[/] the report could not be made; make report OUT= shows why. The files are complete."
        )
    report.write(folder, options.run_date, steps, options.out, console, period=chosen)


def _read(options: argparse.Namespace, folder: Path, chosen: period.Period, console: Console) -> Portfolio:
    portfolio = read(folder, options.run_date, console, chosen)
    counts = f"{len(portfolio.accounts)} accounts, {len(portfolio.registers)} registers"
    console.print(f"Portfolio {folder}: {counts}; the period is {chosen}", markup=False)
    return portfolio


def _demo(options: argparse.Namespace, folder: Path, chosen: period.Period, console: Console) -> Portfolio:
    with console.status(f"generating a demo portfolio of {options.accounts} accounts ..."):
        shutil.rmtree(folder, ignore_errors=True)
        write_demo(folder, accounts=options.accounts, seed=options.seed, run_date=options.run_date)
    return _read(options, folder, chosen, console)


@contextmanager
def _starting(directory: Path) -> Iterator[Callable[[], LocalStack]]:
    """Package the functions and start a stack beside whatever the body does; what it is given waits for the stack.

    At the end the stack is stopped, also one that has not quite started.
    """
    stack, is_over = LocalStack(directory), threading.Event()

    def start() -> LocalStack:
        zips.build(zips.host_target())
        if is_over.is_set():
            raise CancelledError
        return stack.__enter__()

    with ThreadPoolExecutor(1, thread_name_prefix="stack") as pool:
        started = pool.submit(start)
        try:
            yield started.result
        finally:
            is_over.set()
            stack.stop()
            wait([started])
            stack.stop()  # if it was not there yet the first time


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local.run", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--portfolio", type=Path, help="a portfolio folder; without it a demo is generated")
    add_run_date(parser)
    for option, name, text in (
        ("--from", "from_date", "the first day that is accrued (twelve months before TO's next day)"),
        ("--to", "to_date", "the last day that is accrued (the end of the month before the run date's)"),
        ("--as-at", "as_at", "invoices issued later do not count (TO)"),
    ):
        parser.add_argument(option, dest=name, type=iso_date_of, help=text)
    parser.add_argument("--previous", type=Path, help="OUT of an earlier month, the run before this one")
    parser.add_argument("--out", type=Path, default=Path("out"), help="where the exports go (%(default)s)")
    parser.add_argument("--accounts", type=int, default=DEMO_ACCOUNTS, help="size of the demo (%(default)s)")
    parser.add_argument("--seed", type=int, default=DEMO_SEED, help="seed of the demo (%(default)s)")
    parser.add_argument("--work", type=Path, default=Path("build/local"), help="working directory (%(default)s)")
    return parser


def _make_room(out: Path) -> None:
    """Find out before a run, and not at its end, whether its exports can be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"OUT={out} cannot be a folder ({error.strerror}), give another") from error
    if not os.access(out, os.W_OK):
        raise InvalidInput(f"OUT={out} cannot be written to, give another")


if __name__ == "__main__":
    sys.exit(main())
