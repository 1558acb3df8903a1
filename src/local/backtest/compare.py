"""Runs the month ends of a portfolio and puts each account's estimate beside what was read later."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.backtest.bands import PERCENTS, Band, Held, held
from local.backtest.engine import Engine, Estimate, MonthEnd, Truth
from local.backtest.known import History
from local.backtest.months import next_month, over_all
from local.backtest.report import Coverage
from local.backtest.score import LAST_BILL, LAST_YEAR, PRODUCT, Observation
from local.performance.server import installed


def backtest(
    history: History, dates: Sequence[date], work: Path, console: Console
) -> tuple[list[Observation], list[Coverage], list[Held]]:
    """Run every month end, then compare each with what was read at last. The server's files are below `work`."""
    known = {run_date: history.at(run_date) for run_date in dates}  # before anything is started: it may raise
    settled_on = next_month(history.last_day)
    ends: dict[date, MonthEnd] = {}
    with installed(work) as sessions, _progress(console) as progress:
        engine = Engine(sessions)
        months = progress.add_task("month ends", total=len(dates) + 1)
        for run_date in dates:
            with _stages(progress, f"run of {run_date}") as stage:
                ends[run_date] = engine.month_end(known.pop(run_date), run_date, stage)
            progress.advance(months)
        with (
            _stages(progress, "what was read later") as stage,
            engine.truths(history.portfolio, settled_on, over_all([dates[0], settled_on]), stage) as truths,
        ):
            progress.advance(months)
            judged = {run_date: truths.of(end.estimates) for run_date, end in ends.items()}
    observations, coverage = [], []
    for run_date, (found, _) in ends.items():
        truth = judged[run_date]
        settled = [_observation(run_date, one, truth[one.account_id]) for one in found if _is_settled(one, truth)]
        observations += settled
        unsettled = [
            (one.account_id, one.fuel, one.segment, one.method) for one in found if not _is_settled(one, truth)
        ]
        coverage.append(Coverage(run_date, len(found), len(settled), unsettled))
    bands: dict[date, Sequence[Band]] = {run_date: end.bands for run_date, end in ends.items()}
    return observations, coverage, list(held(bands, observations))


def _is_settled(estimate: Estimate, truths: dict[str, Truth]) -> bool:
    truth = truths.get(estimate.account_id)
    return truth is not None and truth.settled


def _observation(run_date: date, one: Estimate, truth: Truth) -> Observation:
    ways = {PRODUCT: one.units_total - one.units_actual, LAST_BILL: one.last_bill, LAST_YEAR: one.last_year}
    return Observation(
        run_date=run_date, account_id=one.account_id, fuel=one.fuel, segment=one.segment, method=one.method,
        missing=float(truth.units - one.units_actual),
        estimates={way: float(units) for way, units in ways.items() if units is not None},
        limits={
            percent: (float(low), float(high))
            for percent, low, high in zip(PERCENTS, one.limits[::2], one.limits[1::2], strict=True)
            if low is not None and high is not None
        },
    )  # fmt: skip


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


@contextmanager
def _stages(progress: Progress, name: str) -> Iterator[Callable[[int, int], None]]:
    task = progress.add_task(name, total=None)
    yield lambda done, of: progress.update(task, completed=done, total=of)
    progress.remove_task(task)
