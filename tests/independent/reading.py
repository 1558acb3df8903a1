"""A second opinion: read a portfolio folder again, independently of the system, and compare a run's output with it.

    python tests/independent/reading.py PORTFOLIO RUN_DATE [--from D] [--to D] [--as-at D] [--accounts FILE] [--truth FILE] [--compare OUT]

folder.py reads the files, accrual.py and the modules that it names do the arithmetic, compare.py judges a run's OUT. None of them imports from src/.
"""

import argparse
import csv
import sys
from datetime import date
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs as a script as well as with -m
from tests.independent.accrual import Reading
from tests.independent.compare import accuracy, judge

COLUMNS = [
    "account_id",
    "site_id",
    "unbilled_from",
    "unbilled_to",
    "unbilled_days",
    "units_actual",
    "units_estimated",
    "units_total",
    "net_amount",
    "gst_amount",
    "complete",
    "uses_marked",
    "basis",
    "method",
    "scalar",
    "problem",
]


def table(reading: Reading) -> list[dict[str, object]]:
    rows = []
    for account_id, result in reading.results.items():
        days = [reading.folder.date(i) for i in np.flatnonzero(result.unbilled)]
        actual, estimated = result.units("ACTUAL"), result.units("ESTIMATED")
        values = (
            account_id,
            result.account.site,
            days[0],
            days[-1],
            len(days),
            f"{actual:.3f}",
            f"{estimated:.3f}",
            f"{actual + estimated:.3f}",
            result.net,
            result.gst,
            result.complete,
            result.uses_marked,
            result.basis,
            "+".join(sorted(result.methods)),
            " ".join(f"{name}={scalar:.6g}" for name, scalar in result.scalars.items()),
            result.problem,
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("portfolio", type=Path)
    parser.add_argument("run_date", type=date.fromisoformat)
    for name in ("--from", "--to", "--as-at"):
        parser.add_argument(name, type=date.fromisoformat, help="of the run's period, if it was chosen")
    parser.add_argument("--accounts", type=Path, help="write the reading account by account to this CSV file")
    parser.add_argument("--truth", type=Path, help="what was really used, in the columns of london-truth.csv")
    parser.add_argument("--compare", type=Path, metavar="OUT", help="judge the output folder of a run; 1 if it fails")
    given = parser.parse_args(arguments)

    reading = Reading(given.portfolio, given.run_date, getattr(given, "from"), given.to, given.as_at)
    rows = table(reading)
    if given.accounts:
        with given.accounts.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    totals = [sum(r.units(state) for r in reading.results.values()) for state in ("ACTUAL", "ESTIMATED")]
    marks = sum(int(p.marked[:-1].sum()) for p in reading.profiles.values())
    print(f"{len(rows)} unbilled accounts, {totals[0]:,.1f} units actual, {totals[1]:,.1f} estimated, ", end="")
    print(f"net ${sum(r.net for r in reading.results.values()):,.2f}; {marks} profile half-hours marked")
    if given.truth:
        ours = {key: result.units("ACTUAL", "ESTIMATED") for key, result in reading.results.items()}
        print("this reading against the truth:", accuracy(given.truth, ours).text)
    return judge(reading, given.compare, given.truth) if given.compare else 0


if __name__ == "__main__":
    sys.exit(main())
