"""What a back-test found: a table on the terminal, CSV files, and a picture."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.backtest import score
from local.backtest.bands import PERCENTS, Held, accounts_sentences, sentences
from local.backtest.score import LAST_BILL, LAST_YEAR, PRODUCT, Observation, Score

UNITS = {"ELECTRICITY": "kWh", "GAS": "MJ"}
ALL = "all"
SETTLED = 0.95  # of a month's accounts

SUMMARY_COLUMNS = (
    "fuel", "group", "name", "way", "months", "accounts", "missing_units", "bias_percent", "bias_spread", "bias_t",
    "book_percent", "median_account_percent", "p90_account_percent", "wape_percent", "wape_spread",
)  # fmt: skip
MONTH_COLUMNS = (
    "month_end", "fuel", "way", "accounts", "missing_units", "estimated_units", "book_percent", "wape_percent",
)  # fmt: skip
ACCOUNT_COLUMNS = (
    "month_end", "account_id", "fuel", "segment", "method", "missing_units", "product", "last_bill", "last_year",
    "low_80", "high_80", "low_95", "high_95",
)  # fmt: skip
BAND_COLUMNS = (
    "month_end", "fuel", "accounts", "missing_units", "estimated_units", "low_80", "high_80", "low_95", "high_95",
    "within_80", "within_95",
)  # fmt: skip


@dataclass(frozen=True)
class Coverage:
    """How many accounts a month end is judged by."""

    run_date: date
    with_missing: int
    settled: int
    unsettled: Sequence[tuple[str, str, str, str]]  # account, fuel, segment, method

    @property
    def month_end(self) -> date:
        """The accrual date."""
        return self.run_date - timedelta(days=1)


@dataclass(frozen=True)
class Line:
    """A way's score on a group of accounts. on: the other way whose accounts it is restricted to."""

    fuel: str
    group: str  # all, segment, method
    name: str
    way: str
    on: str | None
    score: Score

    @property
    def label(self) -> str:
        """The way, and on which accounts if not on all."""
        return f"{self.way}, where {self.on} is known" if self.on else self.way


def lines(observations: Sequence[Observation]) -> Iterator[Line]:
    """Every way's score: all accounts of a fuel, then by segment, then by method.

    A simpler way that is not known of every account is followed by the product on the same accounts.
    """
    for (fuel,), own in score.grouped(observations, lambda o: (o.fuel,)).items():
        yield from _compared(fuel, ALL, "", own)
        for (name,), found in score.grouped(own, lambda o: (o.segment,)).items():
            yield from _compared(fuel, "segment", name, found)
        for (name,), found in score.grouped(own, lambda o: (o.method,)).items():
            yield from _compared(fuel, "method", name, found)


def _compared(fuel: str, group: str, name: str, found: list[Observation]) -> Iterator[Line]:
    for way in (PRODUCT, LAST_BILL, LAST_YEAR):
        same = [o for o in found if way in o.estimates]
        if (scored := score.score(way, same)) is not None:
            yield Line(fuel, group, name, way, None, scored)
            if len(same) < len(found) and (ours := score.score(PRODUCT, same)):
                yield Line(fuel, group, name, PRODUCT, way, ours)


def print_summary(
    found: Iterable[Line],
    coverage: Sequence[Coverage],
    bands: Sequence[Held],
    observations: Sequence[Observation],
    console: Console,
) -> None:
    """The table, how many accounts it rests on, and how often the bands held."""
    table = Table(
        title="Estimates of missing units against what was read later, in %",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for name in ("fuel", "accounts", "way"):
        table.add_column(name, overflow="fold")
    for name in ("months", "n", "bias", "t", "sd", "|book|", "median", "P90", "WAPE", "sd"):
        table.add_column(name, justify="right")
    for line in found:
        table.add_row(
            line.fuel.lower(), f"{line.group} {line.name}".strip(), line.label,
            str(len(line.score.months)), str(line.score.accounts), f"{line.score.bias:+.1f}", _shown(line.score.t, "+.1f"),
            _shown(line.score.spread), f"{line.score.book:.1f}", _shown(line.score.median), _shown(line.score.p90),
            f"{line.score.wape:.1f}", _shown(line.score.wape_spread),
        )  # fmt: skip
    console.print(table)
    asked, settled = (sum(getattr(one, name) for one in coverage) for name in ("with_missing", "settled"))
    console.print(
        f"\nAt {len(coverage)} month ends {asked} accounts had something missing; of {settled} all of it was read later, and they count. "
        f"By month: {', '.join(f'{one.month_end:%Y-%m} {one.settled} of {one.with_missing}' for one in coverage)}.",
        soft_wrap=True,
    )
    for sentence in (*sentences(bands), *accounts_sentences(observations)):
        console.print(sentence, soft_wrap=True)
    partly = [f"{one.month_end:%Y-%m}" for one in coverage if one.settled < SETTLED * one.with_missing]
    if partly:
        console.print(
            f"[yellow]note[/] of {', '.join(partly)} less than {SETTLED:.0%} of the accounts is settled: those that were read early "
            "say little about the others. FROM= and TO= leave months out",
            soft_wrap=True,
        )


def write_files(
    found: Sequence[Line], observations: Sequence[Observation], coverage: Sequence[Coverage], out: Path
) -> None:
    """The same as CSV: the summary, each month end, each account."""
    _write(out / "backtest.csv", SUMMARY_COLUMNS, (_summary_row(line) for line in found))
    _write(out / "backtest_months.csv", MONTH_COLUMNS, _month_rows(found))
    unsettled = ([one.month_end.isoformat(), *who, *[""] * 8] for one in coverage for who in one.unsettled)
    _write(out / "backtest_accounts.csv", ACCOUNT_COLUMNS, sorted([*map(_account_row, observations), *unsettled]))


def write_bands(bands: Iterable[Held], out: Path) -> None:
    """Each month end's band as CSV: its limits around the settled accounts' estimate, and whether they held."""
    _write(out / "backtest_bands.csv", BAND_COLUMNS, map(_band_row, bands))


def _band_row(one: Held) -> list[str]:
    end = (one.run_date - timedelta(days=1)).isoformat()
    limits = [_exact(limit, 3) for percent in PERCENTS for limit in one.limits[percent]]
    within = ["yes" if one.within(percent) else "no" for percent in PERCENTS]
    return [end, one.fuel, str(one.accounts), _exact(one.missing, 3), _exact(one.estimated, 3), *limits, *within]


def _summary_row(line: Line) -> list[str]:
    scored = line.score
    return [
        line.fuel, line.group, line.name, line.label, str(len(scored.months)), str(scored.accounts), f"{scored.missing:.3f}",
        *(_exact(value) for value in (scored.bias, scored.spread, scored.t, scored.book, scored.median, scored.p90,
                                      scored.wape, scored.wape_spread)),
    ]  # fmt: skip


def _month_rows(found: Iterable[Line]) -> Iterator[list[str]]:
    for line in found:
        if line.group == ALL:
            for month in line.score.months:
                yield [
                    (month.run_date - timedelta(days=1)).isoformat(), line.fuel, line.label, str(month.accounts),
                    f"{month.missing:.3f}", f"{month.missing + month.off:.3f}", _exact(month.book), _exact(month.wape),
                ]  # fmt: skip


def _account_row(o: Observation) -> list[str]:
    estimates = (_exact(o.estimates.get(way), 3) for way in (PRODUCT, LAST_BILL, LAST_YEAR))
    end = (o.run_date - timedelta(days=1)).isoformat()
    limits = (_exact(limit, 3) for percent in PERCENTS for limit in o.limits.get(percent, (None, None)))
    return [end, o.account_id, o.fuel, o.segment, o.method, _exact(o.missing, 3), *estimates, *limits]


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _shown(value: float | None, form: str = ".1f") -> str:
    return "-" if value is None else format(value, form)


def _exact(value: float | None, decimals: int = 2) -> str:
    return "" if value is None else f"{value:.{decimals}f}"
