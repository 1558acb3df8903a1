"""What true-ups found, handed from run to run: trueup.csv has the rows of the run before and this run's own.

A row is a segment of the bands, of one accrual: what had been estimated of the days that are billed on reads since, and by how many
dollars the bills say more or less.
"""

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from shared.errors import InvalidInput
from shared.report.book import ZERO

FILE = "trueup.csv"
TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Found:
    """What the bills that the run of run_date knows say of the accrual of an earlier run, accrual_run, in dollars ex GST."""

    run_date: date
    accrual_run: date
    fuel: str
    segment: str
    net_estimated: Decimal
    volume: Decimal


def read(folder: Path) -> list[Found]:
    """The rows of a run's folder, none if it has no such file; raises InvalidInput for a file that is none of ours."""
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                Found(
                    date.fromisoformat(row["run_date"]), date.fromisoformat(row["accrual_run"]), row["fuel"], row["segment"],
                    Decimal(row["net_estimated"]), Decimal(row["volume"]),
                )
                for row in csv.DictReader(file)
            ]  # fmt: skip
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise InvalidInput(f"{path} is not the true-ups of a run: make the report of that month again") from error


def write(folder: Path, found: Sequence[Found]) -> None:
    """Write them in the order of runs and segments."""
    with (folder / FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([one.name for one in fields(Found)])
        writer.writerows(astuple(one) for one in sorted(found, key=lambda one: (one.run_date, one.fuel, one.segment)))


def errors(found: Sequence[Found], fuel: str, segment: str) -> list[tuple[date, Decimal]]:
    """By accrual, oldest first: by how many percent its estimates were too low. A blank fuel or segment is all of them."""
    sums: dict[date, tuple[Decimal, Decimal]] = {}
    for one in found:
        if fuel in ("", one.fuel) and segment in ("", one.segment):
            volume, estimated = sums.get(one.accrual_run, (ZERO, ZERO))
            sums[one.accrual_run] = (volume + one.volume, estimated + one.net_estimated)
    return [
        (run, (100 * volume / estimated).quantize(TENTH))
        for run, (volume, estimated) in sorted(sums.items())
        if estimated
    ]
