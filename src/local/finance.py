"""`python -m local.finance`: finance's report, made again from the folders of exported files, or one account explained."""

import argparse
import sys
from pathlib import Path

import rich.table
from rich.console import Console
from rich.markup import escape

from local.portfolio.check import console_of, exit_status
from shared.report import explain, figures
from shared.report.book import MEMORY_MB
from shared.report.make import make
from shared.report.table import Table


def main(arguments: list[str] | None = None) -> int:
    """Make the report, or explain an account; the exit status is 0 when the journal was written, or the account is known."""
    options = _parser().parse_args(arguments)
    console = console_of(sys.stdout)
    if options.account is not None:
        return exit_status(lambda: _explain(options, console), console)
    posted = []
    status = exit_status(lambda: posted.append(_report(options, console)), console)
    return status or int(not all(posted))


def _explain(options: argparse.Namespace, console: Console) -> None:
    found = explain.of_folder(options.out, options.account)
    console.print(f"[bold]Account {escape(found.account_id)}[/]")
    for sentence in found.lead:
        console.print(sentence, markup=False, soft_wrap=True)
    for table in found.tables:
        console.print(f"\n[bold]{escape(table.title)}[/]", soft_wrap=True)
        console.print(_shown(table))
        if table.note:
            console.print(table.note, markup=False, soft_wrap=True)


def _shown(table: Table) -> rich.table.Table:
    shown = rich.table.Table(
        box=None,
        pad_edge=False,
        show_footer=table.total is not None,
    )
    for place, column in enumerate(table.columns):
        footer = escape(figures.text(table.total[place], column.kind)) if table.total else ""
        is_text = column.kind in ("text", "date")
        shown.add_column(column.name, footer, justify="left" if is_text else "right", overflow="fold")
    for row in table.rows:
        shown.add_row(
            *(escape(figures.text(value, column.kind)) for value, column in zip(row, table.columns, strict=True))
        )
    return shown


def _report(options: argparse.Namespace, console: Console) -> bool:
    report = make(options.out, options.out, options.previous, options.finance, options.memory_mb)
    console.print(report.verdict.headline, markup=False, soft_wrap=True)
    for kind, points in (("explain", report.verdict.explain), ("review", report.verdict.review)):
        for point in points:
            console.print(f"{kind}: {point}", markup=False, soft_wrap=True)
    written = "report.html, report.xlsx, trueup.csv" + (
        ", journal.csv, journal_gst_memo.csv" if report.verdict.may_post else ""
    )
    console.print(f"written to {options.out}: {written}", markup=False, soft_wrap=True)
    return report.verdict.may_post


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local.finance", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--out", type=Path, required=True, help="the folder of a run's exported files; the report goes there too"
    )
    parser.add_argument("--previous", type=Path, help="the folder of the run before")
    parser.add_argument("--account", help="explain this account instead")
    parser.add_argument("--memory-mb", type=int, default=MEMORY_MB, help="how much memory it may use (%(default)s)")
    parser.add_argument("--finance", type=Path, help="finance's parameters (src/shared/report/finance.yaml)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
