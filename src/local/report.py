"""The result of a run: run.json, and the summary on the terminal, with the distance from the truth if that is known."""

import csv
import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.watch import Step
from shared.period import Period
from shared.steps.folders import CONTROL

Row = dict[str, str]
SHOWN = 10
ZERO = Decimal(0)
UNBILLED = ("unbilled_from", "unbilled_to", "unbilled_days")


@dataclass
class Line:
    """One line of the summary: a state, fuel and segment; units are kWh or MJ."""

    accounts: int = 0
    days: int = 0
    units_actual: Decimal = ZERO
    units_estimated: Decimal = ZERO
    net_amount: Decimal = ZERO
    gst_amount: Decimal = ZERO
    discount_amount: Decimal = ZERO
    # Only of accounts whose truth is known.
    units_true: Decimal | None = None
    units_off: Decimal = ZERO
    net_true: Decimal = ZERO
    net_off: Decimal = ZERO

    def add(self, row: Row, truth: Row | None) -> None:
        """Add one account."""
        self.accounts += 1
        self.days += int(row["unbilled_days"])
        for name in ("units_actual", "units_estimated", "net_amount", "gst_amount", "discount_amount"):
            setattr(self, name, getattr(self, name) + Decimal(row[name]))
        if truth:
            self.units_true = (self.units_true or ZERO) + Decimal(truth["units_true"])
            self.units_off += Decimal(row["units_total"]) - Decimal(truth["units_true"])
            self.net_true += Decimal(truth["net_true"])
            self.net_off += Decimal(row["net_amount"]) - Decimal(truth["net_true"])


@dataclass
class Accuracy:
    """How far the estimates are from the truth, over the accounts that had anything missing."""

    accounts: int = 0
    missing: Decimal = ZERO
    off: Decimal = ZERO
    off_absolute: Decimal = ZERO

    def add(self, row: Row, truth: Row) -> None:
        """Add one account, if something of it was estimated."""
        if Decimal(row["units_estimated"]) == 0:
            return
        difference = Decimal(row["units_total"]) - Decimal(truth["units_true"])
        self.accounts += 1
        self.missing += Decimal(truth["units_true"]) - Decimal(row["units_actual"])
        self.off += difference
        self.off_absolute += abs(difference)

    def percents(self) -> dict[str, float | int]:
        """Book error and weighted absolute percentage error, as a share of the missing units."""
        book, wape = (
            round(float(100 * off / self.missing), 2) if self.missing else 0.0 for off in (self.off, self.off_absolute)
        )
        return {"accounts": self.accounts, "book_percent": book, "wape_percent": wape}


@dataclass(frozen=True)
class Result:
    """What a run exported, and the truth by account if it is known (empty otherwise)."""

    accounts: list[Row]
    exceptions: list[Row]
    truth: dict[str, Row]


def write(portfolio: Path, run_date: date, steps: list[Step], out: Path, console: Console, *, period: Period) -> None:
    """Write `out`/run.json and print the summary."""
    accounts = _read(out / "BUAAccountSummary.csv")
    result = Result(
        accounts=accounts, exceptions=_read(out / "exceptions.csv"), truth=_truth_of(accounts, _truth(portfolio))
    )
    document = {
        "run_date": run_date.isoformat(),
        "period": {
            "from": period.from_date.isoformat(),
            "to": period.to_date.isoformat(),
            "as_at": period.as_at.isoformat(),
        },
        "totals": _totals(result),
        "accuracy": {fuel: accuracy.percents() for (fuel,), accuracy in _accuracy(result, "fuel").items()},
        "accuracy_by_segment": {
            " ".join(key): accuracy.percents() for key, accuracy in _accuracy(result, "fuel", "journal_segment").items()
        },
        "steps": [_step(step) for step in steps],
    }
    (out / "run.json").write_text(json.dumps(document, indent=2) + "\n")
    _print(result, console)
    _print_control(json.loads((out / CONTROL).read_text()), result, console)
    _print_report(out, console)
    console.print(f"written to {out}: " + ", ".join(sorted(path.name for path in out.iterdir())))


def _totals(result: Result) -> dict[str, Any]:
    total = Line()
    for row in result.accounts:
        total.add(row, None)
    return {
        "accounts": total.accounts,
        "exceptions": len(result.exceptions),
        "net_amount": str(total.net_amount),
        "gst_amount": str(total.gst_amount),
        "discount_amount": str(total.discount_amount),
        "units": {
            fuel: {"actual": str(line.units_actual), "estimated": str(line.units_estimated)}
            for (fuel,), line in _lines(result, "fuel").items()
        },
    }


def _lines(result: Result, *columns: str) -> dict[tuple[str, ...], Line]:
    lines: dict[tuple[str, ...], Line] = {}
    for row in result.accounts:
        lines.setdefault(tuple(row[column] for column in columns), Line()).add(row, result.truth.get(row["account_id"]))
    return dict(sorted(lines.items()))


def _accuracy(result: Result, *columns: str) -> dict[tuple[str, ...], Accuracy]:
    found: dict[tuple[str, ...], Accuracy] = {}
    for row in result.accounts:
        if row["account_id"] in result.truth:
            group = tuple(row[column] for column in columns)
            found.setdefault(group, Accuracy()).add(row, result.truth[row["account_id"]])
    return dict(sorted(found.items()))


def _print(result: Result, console: Console) -> None:
    with_truth = bool(result.truth)
    table = Table(title="Accrued revenue, ex GST", title_justify="left", box=None, pad_edge=False)
    for name in ("state", "fuel", "segment"):
        table.add_column(name)
    for name in (
        "accounts",
        "days",
        "units actual",
        "units estimated",
        "net $",
        *(("units off", "net off") * with_truth),
    ):
        table.add_column(name, justify="right")
    for key, line in _lines(result, "jurisdiction", "fuel", "journal_segment").items():
        table.add_row(*key, *_cells(line, with_truth=with_truth))
    for (fuel,), line in _lines(result, "fuel").items():
        table.add_row("[bold]total[/]", f"[bold]{fuel}[/]", "", *_cells(line, with_truth=with_truth))
    console.print(table)
    net = sum((Decimal(row["net_amount"]) for row in result.accounts), ZERO)
    console.print(
        f"\n{len(result.accounts)} accounts accrued, [bold]${net:,.2f}[/] ex GST. "
        f"Exceptions, whose supply charge at most is accrued: {len(result.exceptions)}"
    )
    groups = _accuracy(result, "fuel") | _accuracy(result, "fuel", "journal_segment")
    for group, accuracy in sorted(groups.items()):
        share = accuracy.percents()
        name = " ".join([group[0].lower(), *group[1:]])
        console.print(
            f"{name}: {share['accounts']} accounts with something missing, book {share['book_percent']:+.1f} %, "
            f"WAPE {share['wape_percent']:.1f} % of the missing units"
        )


def _print_report(out: Path, console: Console) -> None:
    """What finance's report says first; a run ends well without one, too."""
    made = out / "report.json"
    if not made.exists():
        console.print("[yellow]note[/] there is no report: docs/runbook.md, There is no report", soft_wrap=True)
        return
    headline = json.loads(made.read_text())["headline"]
    console.print(f"finance's report: {headline} See {out / 'report.html'}", markup=False, soft_wrap=True)


def _print_control(control: dict[str, Any], result: Result, console: Console) -> None:
    """What needs somebody's attention, at the end, where it is seen: exceptions, failed items, what was left behind."""
    for row in result.exceptions[:SHOWN]:
        what = escape(row["account_id"] or row["item_key"])
        console.print(f"[yellow]exception[/] {what}: {escape(row['reason'])}", soft_wrap=True)
    if len(result.exceptions) > SHOWN:
        console.print(f"[yellow]exception[/] ... and {len(result.exceptions) - SHOWN} more, see exceptions.csv")
    before = control["unbilled_before_period"]
    if before["accounts"]:
        console.print(
            f"[yellow]not accrued[/] {before['days']} unbilled days before the period, of {before['accounts']} accounts, "
            f"about ${before['net_amount']}",
            soft_wrap=True,
        )
    known = control["catch_up"]
    if known["accounts"]:
        console.print(
            f"[yellow]not accrued[/] what the last, estimated bills of {known['accounts']} accounts will be corrected by: "
            f"${known['net_amount']}",
            soft_wrap=True,
        )
    _print_band(control["band"], console)
    if control["failed"]:
        _print_failed(control, console)
    accounts = control["accounts"]
    console.print(
        f"Control totals tie. Accounts: {accounts['accrued']} accrued + {accounts['fully_billed']} fully billed + "
        f"{accounts['exceptions']} exceptions + {accounts['failed_items']} with a failed work item = {accounts['total']}",
        soft_wrap=True,
    )


def _print_band(band: dict[str, Any], console: Console) -> None:
    """How far the estimated dollars may be off, and how many of them nobody can say that of."""
    estimated, without = Decimal(band["net_estimated"]), Decimal(band["net_without_band"])
    if band["net_mid"] is None:
        line = f"estimated energy ${estimated:,.2f}: no band"
    else:
        low, high = (Decimal(band["of_80_percent"][name]) for name in ("net_low", "net_high"))
        line = f"estimated energy ${estimated:,.2f}, 80 % between ${low:,.2f} and ${high:,.2f}"
        if without:
            line += f" for ${Decimal(band['net_mid']):,.2f} of it; ${without:,.2f} have no band"
    console.print(f"{line}. By segment, with the reasons: estimate_bands.csv", soft_wrap=True)


def _print_failed(control: dict[str, Any], console: Console) -> None:
    """Which work items failed, what that did to the figures, and what to do."""
    items: dict[str, list[str]] = {}
    for failed in control["failed"]:
        items.setdefault(failed["run_type"], []).append(failed["item"])
    told = ", ".join(
        f"{run_type} {' '.join(found[:SHOWN])}" + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
        for run_type, found in items.items()
    )
    for segment, profile in sorted(control["incomplete_profiles"].items()):
        sites, months = profile["sites_missing"], profile["months_failed"]
        lost = [f"{sites} site{'s' * (sites > 1)} missing from segment averages"] * bool(sites)
        lost += [f"{months} month{'s' * (months > 1)} of the average not worked out or corrected"] * bool(months)
        console.print(
            f"[yellow]incomplete[/] {escape(segment)}: {', '.join(lost)}. The estimates of {profile['accounts']} accounts follow "
            "it and may differ from those of a run without failures",
            soft_wrap=True,
        )
    accounts = control["accounts"]["failed_items"]
    console.print(
        f"[bold red]{len(control['failed'])} work items failed[/], for {accounts} accounts: {escape(told)}. Of these accounts "
        "only the supply charge is accrued, if that. exceptions.csv says why. To accrue the rest, mend the cause and run again: "
        "docs/runbook.md, What failed?",
        soft_wrap=True,
    )


def _cells(line: Line, *, with_truth: bool) -> list[str]:
    cells = [
        str(line.accounts),
        f"{line.days:,}",
        f"{line.units_actual:,.0f}",
        f"{line.units_estimated:,.0f}",
        f"{line.net_amount:,.2f}",
    ]
    if with_truth:
        cells += [_percent(line.units_off, line.units_true), _percent(line.net_off, line.net_true)]
    return cells


def _percent(off: Decimal, of: Decimal | None) -> str:
    return f"{100 * off / of:+.1f} %" if of else "-"


def _step(step: Step) -> dict[str, Any]:
    return {
        "step": step.step,
        "state": step.state or "SKIPPED",
        "attempts": step.attempts,
        "started_at": step.started_at.isoformat(timespec="seconds") if step.started_at else None,
        "finished_at": step.finished_at.isoformat(timespec="seconds") if step.finished_at else None,
        "counts": step.counts,
    }


def _truth_of(accounts: list[Row], truth: list[Row]) -> dict[str, Row]:
    """The truth by account. A row counts only for the days it was made for: those that the run found unbilled."""
    days = {row["account_id"]: row for row in accounts}
    return {
        row["account_id"]: row
        for row in truth
        if row["account_id"] in days
        and all(row[name] == days[row["account_id"]][name] for name in UNBILLED if row.get(name))
    }


def _truth(portfolio: Path) -> list[Row]:
    """The portfolio's truth, if it is known: truth.csv in the folder, or <folder>-truth.csv beside it."""
    candidates = (portfolio / "truth.csv", portfolio.with_name(f"{portfolio.name}-truth.csv"))
    return next((_read(path) for path in candidates if path.exists()), [])


def _read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
