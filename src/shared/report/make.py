"""Makes the report of a run from its exported files, and those of the run before: report.html, report.xlsx, journal.csv."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import InvalidInput
from shared.report import (
    accounts,
    ageing,
    estimation,
    evidence,
    exceptions,
    explain,
    exports,
    finance,
    history,
    journal,
    page,
    pictures,
    pivot,
    rollforward,
    signoff,
    trueup,
    workbook,
)
from shared.report.book import MEMORY_MB, Book, open_book
from shared.report.signoff import Headline, Verdict
from shared.report.table import Picture, Section

REPORT = "report.json"
JOURNAL = ("journal.csv", "journal_gst_memo.csv")


@dataclass(frozen=True)
class Report:
    """Everything that the page and the workbook show."""

    title: str
    period: Mapping[str, str]
    figures: Headline
    verdict: Verdict
    band: int
    sections: tuple[Section, ...]
    pictures: tuple[Picture, ...]


def make(
    folder: Path, out: Path, previous: Path | None = None, parameters: Path | None = None, memory_mb: int = MEMORY_MB
) -> Report:
    """Write the report of the run in `folder` to `out`. Raises InvalidInput for a folder or parameters that are wrong.

    memory_mb is what the process may use; what does not fit goes to the folder for temporary files.

    A run of which something does not tie has a report that says so, and no journal.
    """
    chosen = finance.read(parameters or finance.DEFAULT)
    now, before = exports.read(folder), None if previous is None else exports.read(previous)
    if before is not None and (before.run_date >= now.run_date or before.day("to") > now.day("to")):
        raise InvalidInput(
            f"{previous} is the run of {before.run_date}, which is not before {now.run_date}: give an earlier run"
        )
    with tempfile.TemporaryDirectory() as scratch:
        book = open_book(now, before, chosen, Path(scratch), memory_mb)
        with book.database:
            report = compute(book)
            _write(book, report, out)
    return report


def compute(book: Book) -> Report:
    """The whole report; nothing is written."""
    roll = rollforward.compute(book)  # the movers rest on it
    parts = [
        pivot.compute(book), roll, trueup.compute(book), ageing.compute(book), estimation.compute(book), accounts.compute(book),
        exceptions.compute(book), journal.compute(book), evidence.compute(book),
    ]  # fmt: skip
    found = [tie for part in parts for tie in part.ties]
    figures = signoff.headline(book)
    verdict = signoff.judge(book, figures, found)
    first = signoff.section(book, figures, verdict, found)
    largest = [who for who, _ in accounts.concentration(book, explain.TOP)]
    sections = [part.section for part in parts if verdict.may_post or part.section.key != "journal"]
    return Report(
        "Accrued revenue",
        {**book.now.control["period"], "run_date": str(book.now.run_date)},
        figures,
        verdict,
        book.finance.materiality.band,
        (first, *sections, explain.section(explain.Files(book.database, book.now), largest)),
        _pictures(book),
    )


def _pictures(book: Book) -> tuple[Picture, ...]:
    """The pictures, those of what changed only where there is a run before."""
    return (
        *(() if book.before is None else (pictures.waterfall(book),)),
        pictures.bands(book, trueup.history(book)),
        pictures.ageing_bars(book),
        pictures.units_by_month(book),
        pictures.concentration(book),
    )


def _write(book: Book, report: Report, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name in JOURNAL:
        (out / name).unlink(missing_ok=True)
    if report.verdict.may_post:
        journal.write(book, out)
    workbook.write(report, out / "report.xlsx")
    page.write(report, out / "report.html")
    history.write(out, trueup.history(book))
    (out / REPORT).write_text(json.dumps(_told(report), indent=2) + "\n")


def _told(report: Report) -> dict[str, Any]:
    """What a message may say: the headline, without any customer's data."""
    figures = {name: None if value is None else str(value) for name, value in vars(report.figures).items()}
    return {
        "period": report.period,
        "headline": report.verdict.headline,
        "may_post": report.verdict.may_post,
        "figures": figures,
    }
