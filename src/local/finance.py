"""`python -m local.finance`: finance's report, made again from the folders of exported files."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from local.portfolio.check import console_of, exit_status
from shared.report.make import make


def main(arguments: list[str] | None = None) -> int:
    """Make the report; the exit status is 0 when everything ties and the journal was written."""
    options = _parser().parse_args(arguments)
    console = console_of(sys.stdout)
    posted = []
    status = exit_status(lambda: posted.append(_report(options, console)), console)
    return status or int(not all(posted))


def _report(options: argparse.Namespace, console: Console) -> bool:
    report = make(options.out, options.out, options.previous, options.finance)
    console.print(report.verdict.headline, markup=False, soft_wrap=True)
    for kind, points in (("explain", report.verdict.explain), ("review", report.verdict.review)):
        for point in points:
            console.print(f"{kind}: {point}", markup=False, soft_wrap=True)
    written = "report.html, report.xlsx" + (", journal.csv, journal_gst_memo.csv" if report.verdict.may_post else "")
    console.print(f"written to {options.out}: {written}", markup=False, soft_wrap=True)
    return report.verdict.may_post


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local.finance", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--out", type=Path, required=True, help="the folder of a run's exported files; the report goes there too"
    )
    parser.add_argument("--previous", type=Path, help="the folder of the run before")
    parser.add_argument("--finance", type=Path, help="finance's parameters (src/shared/report/finance.yaml)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
