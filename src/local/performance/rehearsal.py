"""`make rehearsal`: the database half of a month at a million accounts, measured on fewer.

Each scale is a portfolio of synthetic rows in a PostgreSQL of its own. Every fan-out and every action that calls the
database is driven through the functions' code, in the pipeline's order. docs/performance.md gets what came out.
"""

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.performance import document, growth
from local.performance.counters import Counters, NotMeasurable
from local.performance.month import Measure, Month, Stage, stages
from local.performance.portfolio import SyntheticStore, load, usage
from local.performance.server import MASTER, SETTINGS, Sessions, database
from shared.errors import BuaError
from shared.telemetry import logger

TITLE = "Rehearsal: a million accounts"
RUN_DATE = date(2026, 11, 1)
LAST_DAY = date(2026, 10, 31)
MILLION = 1_000_000
DAYS = 182
FULL_DAYS = 541
SHOWN_SECONDS = 36  # a hundredth of a CPU-hour at a million accounts
SITE_DATA = "UtilityProfile"  # whose database half is COPY


@dataclass(frozen=True)
class Instance:
    """What the database would run on. The price is an assumption that the reader checks: dollars an hour."""

    name: str
    cores: int
    price: float
    source: str


@dataclass
class Rehearsal:
    """One scale's measures, in the order of the pipeline; a stage that comes several times is one."""

    accounts: int
    days: int
    site_days: int = 0
    measures: dict[Stage, Measure] = field(default_factory=dict)

    def add(self, measure: Measure) -> None:
        """Take a measure in."""
        key = Stage(measure.stage.step, measure.stage.kind, measure.stage.name)
        known = self.measures.get(key)
        if known is None:
            measure.stage = key
            self.measures[key] = measure
            return
        known.items += measure.items
        known.worked += measure.worked
        known.work += measure.work
        known.peak.backend = max(known.peak.backend, measure.peak.backend)
        known.peak.python = max(known.peak.python, measure.peak.python)


def rehearse(accounts: int, days: int, work: Path, console: Console) -> tuple[Rehearsal, str]:
    """A month at one scale; returns its measures and the server's version."""
    made_of = usage(LAST_DAY - timedelta(days=days - 1), LAST_DAY)
    with database(work, RUN_DATE) as sessions, _progress(console) as progress:
        loading = progress.add_task(f"{accounts:,} accounts: synthetic rows", total=1)
        with closing(sessions.connect(MASTER)) as connection:
            version = str(connection.info.parameter_status("server_version"))
            store = SyntheticStore(load(connection, accounts, made_of), made_of)
        progress.update(loading, completed=1)
        rehearsal = Rehearsal(accounts, days)
        with closing(Counters(sessions.server)) as counters:
            month = Month(sessions, store, RUN_DATE, counters)
            for stage in stages():
                task = progress.add_task(f"{accounts:,}: {stage.name}", total=None)
                # The functions' metrics are written to stdout, where the bar is.
                with contextlib.redirect_stdout(io.StringIO()):
                    for measure in month.run(stage, lambda n, of, t=task: progress.update(t, completed=n, total=of)):  # type: ignore[misc]
                        rehearsal.add(measure)
                progress.remove_task(task)
        rehearsal.site_days = _site_days(sessions)
    return rehearsal, version


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def _site_days(sessions: Sessions) -> int:
    with closing(sessions.connect(MASTER)) as connection, connection.cursor() as cursor:
        cursor.execute("select coalesce(sum(days_written), 0) from bua.utility_profile_log")
        ((days,),) = cursor.fetchall()
        return int(days)


def report(rehearsals: Sequence[Rehearsal], version: str, instance: Instance) -> str:
    """The section of docs/performance.md."""
    largest = max(rehearsals, key=lambda r: r.accounts)
    scales = [r.accounts for r in rehearsals]
    command = f'make rehearsal SCALE="{" ".join(map(str, scales))}" DAYS={largest.days}'
    shown = ", ".join(f"{accounts:,}" for accounts in scales)
    return (
        f"Written by `{command}`, {document.today()}: {document.machine(version)}.\n\n"
        f"{_premises(largest)}\n\n"
        f"### At {largest.accounts:,} accounts\n\n{_costs(largest)}\n\n"
        f"### Growth\n\nProcessor seconds at {shown} accounts. The exponent is the slope of a log-log fit: 1 is linear; above "
        f"{growth.STEEP} it is marked **!**. A cost below {growth.LEAST_SECONDS} s has none.\n\n{_growth(rehearsals)}\n\n"
        f"### A million accounts\n\n{_million(rehearsals, instance)}"
    )


def _premises(largest: Rehearsal) -> str:
    settings = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())
    return (
        f"Synthetic rows: half the accounts have interval meters (half of them 5-minute ones, one in five with solar), a quarter "
        f"basic meters, a quarter gas; nine quarterly bills each, spread over the quarter, all but a few with unbilled days. "
        f"Three interval sites in ten lack their last two days of reads, one in fifty three weeks; one day in twenty has estimated "
        f"half-hours. Each interval register has {largest.days} days of reads (a real run has up to {FULL_DAYS}, which are assumed "
        f"below). The code is that of the functions: planning, messages of the catalogue's size, claims, work, outcome, the clock's "
        f"count. AWS is lists in memory: neither its time nor that of making reads up is in here. One message at a time: locks that "
        f"many workers would wait for are not seen. PostgreSQL writes without fsync and full page images, with {settings}. "
        f"*PostgreSQL* is the processor time of its backends; *writers* that of the checkpointer, WAL and background writer; "
        f"*memory* the most that one process had of its own."
    )


def _costs(rehearsal: Rehearsal) -> str:
    rows = []
    for measure in rehearsal.measures.values():
        used, per = measure.total, 1000 / max(measure.items, 1)
        if not measure.messages and used.backend_seconds < growth.LEAST_SECONDS:
            continue
        rows.append(
            [
                _label(measure.stage), f"{measure.items:,}", f"{measure.messages:,}" if measure.messages else "",
                f"{used.backend_seconds:.2f}", f"{measure.planning.backend_seconds:.2f}" if measure.messages else "",
                f"{used.writer_seconds:.2f}", f"{used.python_seconds:.2f}",
                f"{used.backend_seconds * per:.2f}" if measure.messages else "",
                f"{used.python_seconds * per:.2f}" if measure.messages else "",
                f"{used.blocks_read * 8192 / 1e6:.0f}", f"{used.written_bytes / 1e6:.0f}", f"{used.wal_bytes / 1e6:.0f}",
                f"{used.temp_files:.0f} / {used.temp_bytes / 1e6:.0f}",
                f"{measure.peak.backend / 1e6:.0f} / {measure.peak.python / 1e6:.0f}",
            ]
        )  # fmt: skip
    header = [
        "run type, *action* or (platform)", "items", "messages", "PostgreSQL s", "of it planning s", "writers s", "Python s",
        "PostgreSQL s per 1,000", "Python s per 1,000", "read MB", "written MB", "WAL MB", "temp files / MB",
        "memory MB, backend / Python",
    ]  # fmt: skip
    return document.table(header, rows)


def _growth(rehearsals: Sequence[Rehearsal]) -> str:
    rows = []
    for stage in rehearsals[0].measures:
        points, python = _points(rehearsals, stage, "backend_seconds"), _points(rehearsals, stage, "python_seconds")
        if max(cost for _, cost in points + python) < growth.LEAST_SECONDS:
            continue
        rows.append([_label(stage), *(f"{cost:.2f}" for _, cost in points), _exponent(points), _exponent(python)])
    header = ["run type, *action* or (platform)", *(f"{r.accounts:,}" for r in rehearsals), "exponent", "Python's"]
    return document.table(header, rows)


def _million(rehearsals: Sequence[Rehearsal], instance: Instance) -> str:
    rows, sums = [], {"ours": [0.0, 0.0], "copy": [0.0, 0.0], "platform": [0.0, 0.0]}
    for stage in rehearsals[0].measures:
        longer = FULL_DAYS / rehearsals[0].days if stage.step == "segments" else 1.0
        database_s = longer * growth.extrapolate(_points(rehearsals, stage, "backend_seconds"), MILLION)
        python_s = longer * growth.extrapolate(_points(rehearsals, stage, "python_seconds"), MILLION)
        kind = "platform" if stage.kind == "platform" else "copy" if stage.name == SITE_DATA else "ours"
        sums[kind][0] += database_s
        sums[kind][1] += python_s
        if stage.kind == "fan-out" or database_s + python_s >= SHOWN_SECONDS:
            rows.append([_label(stage), f"{database_s / 3600:.2f}", f"{python_s / 3600:.2f}"])
    ours, copy = sums["ours"], sums["copy"]
    rows += [
        ["**all without the COPY**", f"**{ours[0] / 3600:.2f}**", f"**{ours[1] / 3600:.2f}**"],
        ["**all**", f"**{(ours[0] + copy[0]) / 3600:.2f}**", f"**{(ours[1] + copy[1]) / 3600:.2f}**"],
    ]
    hours = (ours[0] + copy[0]) / 3600 / instance.cores
    measured = rehearsals[-1]
    profile = measured.measures[Stage("segments", "fan-out", SITE_DATA)].total
    each = 1e6 / max(measured.site_days, 1)
    return (
        f"From the measures above by a fixed part and a part per account; a cost with an exponent above {growth.STEEP} goes on with it. "
        f"What the step segments does is taken times {FULL_DAYS} / {rehearsals[0].days}, for {FULL_DAYS} days of reads a register: "
        f"{SITE_DATA} costs {profile.backend_seconds * each:.1f} us of PostgreSQL and {profile.python_seconds * each:.1f} us of Python "
        f"a site-day. CPU-hours of a core like this machine's:\n\n"
        f"{document.table(['run type, *action* or (platform)', 'PostgreSQL CPU-hours', 'Python CPU-hours'], rows)}\n\n"
        f"(platform) is the local stand-in for the billing platform's services, and in no sum. On {instance.name} with "
        f"{instance.cores} cores, all of them busy, PostgreSQL's part is {hours:.2f} hours, ${hours * instance.price:.2f} at "
        f"${instance.price} an hour. That price is an assumption to check before it is relied on: {instance.source}. Not in it: "
        f"storage, waiting for it, and cores that idle while a single statement runs."
    )


def _points(rehearsals: Sequence[Rehearsal], stage: Stage, what: str) -> list[growth.Point]:
    return [(r.accounts, getattr(r.measures[stage].total, what)) for r in rehearsals if stage in r.measures]


def _exponent(points: Sequence[growth.Point]) -> str:
    found = growth.exponent(points)
    if found is None:
        return ""
    return f"**{found:.2f} !**" if found > growth.STEEP else f"{found:.2f}"


def _label(stage: Stage) -> str:
    return {"fan-out": stage.name, "action": f"*{stage.name}*", "platform": f"({stage.name})"}[stage.kind]


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    scales: Sequence[int]
    days: int
    instance: Instance
    out: Path


def run(wish: Wish, work: Path, console: Console) -> list[Rehearsal]:
    """Rehearse at every scale and write the section."""
    done = [rehearse(accounts, wish.days, work / str(accounts), console) for accounts in sorted(wish.scales)]
    rehearsals = [rehearsal for rehearsal, _ in done]
    document.write_section(wish.out, TITLE, report(rehearsals, done[0][1], wish.instance))
    return rehearsals


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make rehearsal", description="A month's database half at synthetic scales.")
    parser.add_argument(
        "--scale", type=int, nargs="+", default=[1000, 3000, 10_000], help="accounts; several show the growth"
    )
    parser.add_argument("--days", type=int, default=DAYS, help="days of reads of each interval register (%(default)s)")
    parser.add_argument("--instance", default="db.r7g.8xlarge", help="the database's class (%(default)s)")
    parser.add_argument("--cores", type=int, default=32, help="its cores (%(default)s)")
    parser.add_argument("--price", type=float, default=4.56, help="dollars an hour (%(default)s)")
    parser.add_argument(
        "--source", default="the list price of docs/deployment.md, under Cost", help="where the price is from"
    )
    parser.add_argument("--out", type=Path, default=document.DOCUMENT, help="the document (%(default)s)")
    return parser


def main() -> int:
    """Parse, rehearse, say where the report is."""
    wanted = _parser().parse_args()
    instance = Instance(wanted.instance, wanted.cores, wanted.price, wanted.source)
    console = Console(stderr=True)
    logger.setLevel("ERROR")
    with tempfile.TemporaryDirectory(prefix="bua-rehearsal-") as place:
        try:
            run(Wish(wanted.scale, wanted.days, instance, wanted.out), Path(place), console)
        except (BuaError, NotMeasurable) as error:
            console.print(f"{type(error).__name__}: {error}", markup=False)
            return 1
    console.print(f"Written to {wanted.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
