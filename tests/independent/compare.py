"""Compare what a run wrote (OUT) with the second opinion, point by point, and list the differences.

Every check has a list of offenders, worst first; a check without offenders passes. Notes are shown and never fail.
"""

import csv
import io
import json
import logging
import warnings
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
from tests.independent.accrual import CENT, MILLI, Reading, Result
from tests.independent.folder import FAR, MISSING, READ, parse_nem12
from tests.independent.methods import CAP

Row = dict[str, str]
SHOWN = 8
FLAGS = {"CAPPED", "GIANT", "VACANT", "ZERO_USE"}
RELATIVE, LEAST_UNITS, LEAST_DOLLARS = 0.001, 0.02, 0.02  # 0.1 %, but never finer than rounding can be
WAPE_LIMIT, BOOK_LIMIT = 0.17, 0.06


@dataclass
class Check:
    name: str
    tested: int = 0
    offenders: list[tuple[float, str]] = field(default_factory=list)
    note: str = ""

    def expect(self, good: bool, text: str, size: float = 0.0) -> None:
        self.tested += 1
        if not good:
            self.offenders.append((size, text))

    def close(self, key: str, theirs: float, ours: float, tolerance: float, why: str = "") -> None:
        gap = abs(theirs - ours)
        text = f"{key}: run {theirs:,.3f}, reading {ours:,.3f} (gap {theirs - ours:+,.3f}) {why}"
        self.expect(gap <= tolerance + 1e-9, text, gap)

    def print(self) -> None:
        state = "FAIL" if self.offenders else "skip" if not self.tested else "ok"
        wrong = f"{len(self.offenders)} of " if self.offenders else ""
        print(f"  {state:4}  {self.name:74} {wrong}{self.tested} {self.note}")
        for _, text in sorted(self.offenders, key=lambda o: -o[0])[:SHOWN]:
            print(f"          {text}")


@dataclass
class Accuracy:
    accounts: int
    book: float
    wape: float

    @property
    def text(self) -> str:
        return f"{self.accounts} accounts with something missing, book {self.book:+.2%}, WAPE {self.wape:.2%}"


def read_csv(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def number(row: Row, column: str) -> Decimal:
    return Decimal(row.get(column) or 0)


def accuracy(truth: Path, units: dict[str, float]) -> Accuracy:
    """Errors over the accounts with anything missing, as a share of what is missing."""
    rows = [(float(r["units_true"]), float(r["units_known"]), r["account_id"]) for r in read_csv(truth)]
    rows = [row for row in rows if row[0] - row[1] > 0.0005]
    missing = sum(true - known for true, known, _ in rows)
    errors = [units.get(account, 0.0) - true for true, _, account in rows]
    return Accuracy(len(rows), sum(errors) / missing, sum(map(abs, errors)) / missing)


class Judge:
    def __init__(self, reading: Reading, out: Path, truth: Path | None) -> None:
        self.reading, self.out, self.truth = reading, out, truth
        self.summary = read_csv(out / "BUAAccountSummary.csv")
        self.lines = read_csv(out / "InvoiceLineItemMonthly.csv")
        self.exceptions = {row["account_id"]: row for row in read_csv(out / "exceptions.csv") if row["account_id"]}
        self.supply_only = {row["account_id"]: row for row in self.summary if "SUPPLY_ONLY" in row.get("flags", "")}
        self.by_account = {row["account_id"]: row for row in self.summary if row["account_id"] not in self.supply_only}
        self.marked = marked_days(out / "profile_marks.csv", reading)
        self.checks: list[Check] = []

    def check(self, name: str) -> Check:
        self.checks.append(Check(name))
        return self.checks[-1]

    def pairs(self) -> Iterator[tuple[str, Row, Result]]:
        for key, result in self.reading.results.items():
            if key in self.by_account:
                yield key, self.by_account[key], result

    def uses_marked(self, result: Result) -> bool:
        """By the run's own list of marks; without one, by ours."""
        if self.marked is None:
            return result.uses_marked
        return any(
            (days & self.marked[segment]).any() for segment, days in result.used.items() if segment in self.marked
        )

    # -- which accounts, which days ------------------------------------------------------------------------------------

    def who(self) -> None:
        once = self.check("every unbilled account in exactly one of summary and exceptions")
        accrued = [row["account_id"] for row in self.summary if row["account_id"] not in self.supply_only]
        counts = Counter(accrued) + Counter(list(self.exceptions))
        for key, result in self.reading.results.items():
            once.expect(counts[key] == 1, f"{key}: in {counts[key]} rows; reading says {result.basis} {result.problem}")
        extra = self.check("no other account in either file")
        for key in counts:
            extra.expect(key in self.reading.results, f"{key}: no unbilled day in the period by the folder")
        nothing = self.check("in exceptions only what nothing can be worked out for, with a reason")
        for key, row in self.exceptions.items():
            result = self.reading.results.get(key)
            reason = " ".join(value or "" for name, value in row.items() if name not in {"run_date", "account_id"})
            nothing.expect(
                result is not None and bool(result.problem) and bool(reason.strip()),
                f"{key}: {reason!r}; reading: {result.basis if result else None} {result.problem if result else ''}",
            )
        supply = self.check("of an exception only the supply is accrued, a day's price for each unbilled day")
        for key, row in self.supply_only.items():
            result = self.reading.results.get(key)
            ours = sum((line[4] for line in result.lines if line[0] == "DAILY"), Decimal(0)) if result else Decimal(-1)
            good = key in self.exceptions and number(row, "net_amount") == ours and not number(row, "units_total")
            supply.expect(good, f"{key}: run {row['net_amount']} and {row['units_total']} units, reading {ours}")
        for name, rows in (("BUAAccountSummary", self.summary), ("InvoiceLineItemMonthly", self.lines)):
            order = self.check(f"{name} is sorted by account")
            keys = [row["account_id"] for row in rows]
            order.expect(keys == sorted(keys) or keys == sorted(keys, key=int_or_text), "not in account order")

    def days(self) -> None:
        window = self.check("unbilled_from, unbilled_to and unbilled_days")
        due = self.check("due_state, where a next bill date is given")
        last = self.check("last_billed_to is the last day that a valid invoice covers")
        monthly = self.check("supply days of each month in the lines = its unbilled days (accrued exactly once)")
        supply: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in self.lines:
            if row["item_type"] == "DAILY" and row["account_id"] not in self.supply_only:
                supply[row["account_id"], row["year_month"][:7]] += number(row, "days") or number(row, "quantity")
        for key, row, result in self.pairs():
            days = [self.reading.folder.date(i) for i in np.flatnonzero(result.unbilled)]
            ours = (str(days[0]), str(days[-1]), str(len(days)))
            theirs = (row["unbilled_from"], row["unbilled_to"], row["unbilled_days"])
            window.expect(ours == theirs, f"{key}: run {theirs}, reading {ours}")
            if result.account.next_bill < FAR:
                ours_due = self.reading.due_state(result.account)
                due.expect(row["due_state"] == ours_due, f"{key}: run {row['due_state']}, reading {ours_due}")
            billed = max((str(i.end) for i in self.reading.valid_invoices(result.account)), default="")
            last.expect(row["last_billed_to"] == billed, f"{key}: run {row['last_billed_to']}, reading {billed}")
            supplied = [
                self.reading.folder.date(i)
                for i in np.flatnonzero(result.unbilled)
                if any(r.item == "DAILY" for r in self.reading.prices_on(result.account, int(i)))
            ]
            for month, count in Counter(d.isoformat()[:7] for d in supplied).items():
                theirs_of_month = supply.pop((key, month), supply.pop((key, month.replace("-", "")), Decimal(0)))
                monthly.expect(theirs_of_month == count, f"{key} {month}: run {theirs_of_month} days, reading {count}")
        for (key, month), count in supply.items():
            monthly.expect(False, f"{key} {month}: run charges {count} days, reading none")
        self.partition()

    def partition(self) -> None:
        check = self.check("every account-day is billed, accrued or outside supply, once")
        period = (self.reading.end - self.reading.start).days
        for account in self.reading.folder.accounts:
            days = self.reading.supply_days(account)
            outside = period - int(days.sum())
            times = np.zeros(self.reading.folder.days, dtype=int)
            for invoice in self.reading.valid_invoices(account):
                times += self.reading.folder.between(invoice.start, invoice.end)
            billed = int((days & (times > 0)).sum())
            accrued = int(self.by_account.get(account.account_id, {}).get("unbilled_days") or 0)
            if account.account_id in self.exceptions:
                accrued = int((days & (times == 0)).sum())
            total = billed + accrued + outside
            check.expect(total == period, f"{account.account_id}: {billed} + {accrued} + {outside} is not {period}")
            if (days & (times > 1)).any():
                check.note = "(the folder itself bills some days twice)"

    # -- units and dollars ---------------------------------------------------------------------------------------------

    def amounts(self) -> None:
        units = self.check("units of accounts with complete reads, within 0.001")
        split = self.check("... none of them estimated")
        money = self.check("net_amount of accounts with complete reads, within 0.01")
        gst = self.check("gst_amount of accounts with complete reads, within 0.02")
        guessed = self.check("units of the others, within 0.1 % (no marked day used)")
        actual = self.check("... of which units_actual, within 0.1 %")
        estimated = self.check("... of which units_estimated, within 0.1 %")
        guessed_money = self.check("net_amount of the others, within 0.1 %")
        marked = self.check("units of accounts that use a marked day, within 0.1 %")
        marked_money = self.check("net_amount of accounts that use a marked day, within 0.1 %")
        method = self.check("method is the reading's, where all is estimated by one")
        flags = self.check("... and so are the flags CAPPED, GIANT, VACANT and ZERO_USE")
        aside: Counter[str] = Counter()
        methods: Counter[str] = Counter()
        for key, row, result in self.pairs():
            theirs, ours = float(row["units_total"]), result.units("ACTUAL", "ESTIMATED")
            net, our_net = float(row["net_amount"]), float(result.net)
            why = f"[{result.basis} {'+'.join(sorted(result.methods))}; run: {row.get('method')} {row.get('scalar')} "
            why += f"{row.get('flags')}; reading: {result.scalars} {result.problem}]"
            if result.complete:
                units.close(key, theirs, ours, 0.001, why)
                split.close(key, float(row["units_estimated"]), 0, 0.0005)
                money.close(key, net, our_net, 0.01, why)
                gst.close(key, float(row["gst_amount"]), float(result.gst), 0.02, why)
                continue
            if len(result.methods) == 1 and not result.problem:
                ours_by = next(iter(result.methods))
                method.expect(ours_by == row.get("method", ours_by), f"{key}: {why}")
                theirs_flags = FLAGS & set(row.get("flags", "").split(";"))
                flags.expect(result.flags & FLAGS == theirs_flags, f"{key}: reading {sorted(result.flags)} {why}")
            if result.problem:
                aside["problem"] += 1
                continue
            of_units, of_money = (marked, marked_money) if self.uses_marked(result) else (guessed, guessed_money)
            of_units.close(key, theirs, ours, max(RELATIVE * abs(ours), LEAST_UNITS), why)
            known = result.units("ACTUAL")
            actual.close(key, float(row["units_actual"]), known, max(RELATIVE * known, LEAST_UNITS), why)
            ours_estimated = result.units("ESTIMATED")
            margin = max(RELATIVE * ours_estimated, LEAST_UNITS)
            estimated.close(key, float(row["units_estimated"]), ours_estimated, margin, why)
            methods[row.get("method", "")] += 1
            of_money.close(key, net, our_net, max(RELATIVE * gross(result), LEAST_DOLLARS), why)
        estimated.note = "(" + ", ".join(f"{name} {count}" for name, count in sorted(methods.items())) + ")"
        guessed.note = f"(not judged: {dict(aside)})" if aside else ""

    def sane(self) -> None:
        check = self.check("scalars are 0 to 20, estimated units and feed-in have the right sign")
        for row in self.summary:
            if row["fuel"] == "ELECTRICITY":
                cap = Decimal("Infinity") if "GIANT" in row.get("flags", "") else CAP
                check.expect(0 <= number(row, "scalar") <= cap, f"{row['account_id']}: scalar {row['scalar']}")
            check.expect(
                number(row, "units_estimated") >= 0, f"{row['account_id']}: {row['units_estimated']} estimated"
            )
        for row in self.lines:
            if row["item_type"] == "FEED_IN":
                check.expect(number(row, "net_amount") <= 0, f"{row['account_id']}: feed-in of {row['net_amount']}")

    # -- sums ----------------------------------------------------------------------------------------------------------

    def sums(self) -> None:
        per: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for row in self.lines:
            mine = per[row["account_id"]]
            mine["net"] += number(row, "net_amount")
            mine["discount"] += number(row, "discount_net_propensity")
            if row["item_type"] in {"USAGE", "CONTROL"}:
                mine[row["line_state"]] += number(row, "quantity")
        net = self.check("the lines of an account add up to its net_amount, to the cent")
        units = self.check("... and to its units, actual and estimated, to 0.001")
        discount = self.check("... and to its discount_amount (after propensity), to the cent")
        cents_only = self.check("dollars have at most 2 decimals, units at most 3")
        for row in self.summary:
            key, mine = row["account_id"], per.pop(row["account_id"], defaultdict(Decimal))
            net.close(key, float(number(row, "net_amount")), float(mine["net"]), 0)
            discount.close(key, abs(float(number(row, "discount_amount"))), abs(float(mine["discount"])), 0)
            for state in ("ACTUAL", "ESTIMATED"):
                theirs = number(row, f"units_{state.lower()}")
                units.close(f"{key} {state}", float(theirs), float(mine[state]), 0)
            total = number(row, "units_actual") + number(row, "units_estimated")
            units.expect(total == number(row, "units_total"), f"{key}: actual + estimated is not units_total")
            places(cents_only, row, ("net_amount", "gst_amount", "discount_amount"), CENT)
            places(cents_only, row, ("units_actual", "units_estimated", "units_total"), MILLI)
        for row in self.lines:
            places(cents_only, row, ("net_amount", "discount_net", "discount_net_propensity"), CENT)
            places(cents_only, row, ("quantity",), MILLI)
        net.expect(not per, f"lines of accounts that the summary does not have: {sorted(per)[:5]}")
        self.totals()

    def totals(self) -> None:
        finance = read_csv(self.out / "summary.csv")
        check = self.check("summary.csv adds up to the accounts and to the lines")
        for column, source in (("net_amount", self.summary), ("net_amount", self.lines)):
            theirs = sum((number(row, column) for row in finance), Decimal(0))
            check.close(column, float(theirs), float(sum(number(row, column) for row in source)), 0)
        units = self.check("... in units too, without what goes to the grid")
        for state in ("units_actual", "units_estimated"):
            for fuel in ("ELECTRICITY", "GAS"):
                theirs = sum((number(row, state) for row in finance if row["fuel"] == fuel), Decimal(0))
                ours = sum((number(row, state) for row in self.summary if row["fuel"] == fuel), Decimal(0))
                units.close(f"{state} {fuel}", float(theirs), float(ours), 0)
        run = self.out / "run.json"
        check = self.check("run.json's totals are the sums of BUAAccountSummary")
        if not run.exists():
            check.expect(False, "no run.json")
            return
        totals = dict(leaves(json.loads(run.read_text(encoding="utf-8")).get("totals", {})))
        columns = ("units_actual", "units_estimated", "units_total", "net_amount", "gst_amount", "discount_amount")
        for column in columns:
            if column in totals:
                ours = float(sum(number(row, column) for row in self.summary))
                check.close(column, float(totals[column]), ours, 0)
        check.expect("net_amount" in totals, f"no totals.net_amount among {sorted(totals)}")
        for name, ours in (("accounts", len(self.summary)), ("exceptions", len(self.exceptions))):
            if name in totals:
                check.close(name, float(totals[name]), ours, 0)

    # -- truth, meter data files ---------------------------------------------------------------------------------------

    def against_truth(self) -> None:
        if self.truth is None:
            return
        units = self.check("interval accounts with all reads: units_total is the truth, within 0.001")
        money = self.check("... and on plan FLAT net_amount too, within 0.01")
        for true in read_csv(self.truth):
            row = self.by_account.get(true["account_id"])
            whole = abs(float(true["units_true"]) - float(true["units_known"])) <= 0.0005
            if row is None or not whole or true["read_type"] != "INTERVAL":
                continue
            units.close(true["account_id"], float(row["units_total"]), float(true["units_true"]), 0.001, "(truth)")
            if true["plan_code"] == "FLAT":
                money.close(true["account_id"], float(row["net_amount"]), float(true["net_true"]), 0.01, "(truth)")
        found = accuracy(self.truth, {key: float(row["units_total"]) for key, row in self.by_account.items()})
        check = self.check("accuracy: WAPE at most 17 %, book within 6 %")
        check.note = f"({found.text})"
        check.expect(found.wape <= WAPE_LIMIT, f"WAPE {found.wape:.2%}")
        check.expect(abs(found.book) <= BOOK_LIMIT, f"book {found.book:+.2%}")

    def meter_files(self) -> None:
        paths = sorted(p for p in (self.out / "nem12").glob("*") if p.suffix.lower() in {".csv", ".zip"})
        for name, load in (("nemreader", load_nemreader), ("aemo-mdff-reader", load_mdff)):
            check = self.check(f"generated NEM12 files load in {name} without a warning")
            for path in paths:
                complaints = listen(load, path)
                check.expect(not complaints, f"{path.name}: {complaints[:2]}")
        self.filled(paths)

    def filled(self, paths: Iterable[Path]) -> None:
        """Each half-hour missing in a window is in a generated file, and no half-hour that had been read is changed."""
        written = {}
        for path in paths:
            for text in nem12_texts(path):
                written.update({key: day for key, _, day in parse_nem12(text)})
        missing = self.check("each missing half-hour of an unbilled window is in the generated files")
        kept = self.check("a generated file repeats what had been read and changes nothing")
        folder = self.reading.folder
        for result in self.reading.results.values():
            local_day, _ = self.reading.clock(result.account.jurisdiction)
            for register in folder.registers.get(result.account.site, []):
                if register.basic or result.account.account_id in self.exceptions:
                    continue
                data = self.reading.interval_days(register)
                wanted = result.unbilled & self.reading.counted(result.account, register)
                needed = np.append(wanted, False)[local_day] & (data.worth == MISSING)
                for index in np.flatnonzero(needed.any(axis=1)):
                    day = written.get((register.site, register.suffix, folder.date(index)))
                    good = day is not None and (day[1][needed[index]] != MISSING).all()
                    missing.expect(good, f"{register.site} {register.suffix} {folder.date(index)}: not filled")
        for (site, suffix, day), (kwh, worth) in written.items():
            index = folder.index(day)
            data = folder.intervals.get((site, suffix))
            if data is None or not 0 <= index < folder.days:
                continue
            read = data.worth[index] == READ
            same = np.abs(kwh - data.kwh[index])[read & (worth == READ)]
            kept.expect(
                bool((worth[read] == READ).all()) and bool((same < 1e-6).all()), f"{site} {suffix} {day}: reads changed"
            )

    def marks(self) -> None:
        """Ours and theirs of the segments and days that any estimate used: a difference is worth a look, no failure."""
        if self.marked is None:
            print("  note  profile_marks.csv was not understood: marks are ours")
            return
        used: dict[tuple[str, str, str], np.ndarray] = {}
        for result in self.reading.results.values():
            for segment, days in result.used.items():
                used[segment] = used.get(segment, False) | days
        for segment, days in sorted(used.items()):
            profile = self.reading.profiles.get(segment)
            if profile is not None:
                ours = profile.marked.any(axis=1)
                theirs = self.marked.get(segment, np.zeros_like(ours))
                gap = [self.reading.folder.date(i) for i in np.flatnonzero((ours != theirs) & days)]
                if gap:
                    print(
                        f"  note  marks of {'/'.join(segment)} differ on {len(gap)} of {days.sum()} used days: {gap[0]}.."
                    )

    def problems(self) -> None:
        rows = [(key, row, result) for key, row, result in self.pairs() if result.problem]
        for key, row, result in rows[:SHOWN]:
            print(
                f"  note  {key}: run {row['units_total']} by {row.get('method')} (scalar {row.get('scalar')}), reading "
                f"{result.units('ACTUAL', 'ESTIMATED'):,.3f} by {'+'.join(sorted(result.methods))} {result.problem}"
            )

    def run(self) -> int:
        print(f"\n{self.out} against this reading ({len(self.summary)} rows, {len(self.exceptions)} exceptions)")
        for name in ("BUAAccountSummary.csv", "InvoiceLineItemMonthly.csv", "exceptions.csv", "profile_marks.csv"):
            self.check(f"{name} exists").expect((self.out / name).exists(), "missing")
        for step in (self.who, self.days, self.amounts, self.sane, self.sums, self.against_truth, self.meter_files):
            step()
        for check in self.checks:
            check.print()
        self.marks()
        self.problems()
        failed = sum(bool(check.offenders) for check in self.checks)
        print(f"{len(self.checks) - failed} of {len(self.checks)} checks pass")
        return int(failed > 0)


def judge(reading: Reading, out: Path, truth: Path | None) -> int:
    """Print the table of checks; 1 when any failed."""
    return Judge(reading, out, truth).run()


def int_or_text(text: str) -> tuple[int, str]:
    return (int(text) if text.isdigit() else 0, text)


def gross(result: Result) -> float:
    """Dollars moved by an account's lines, whatever their sign: a net near zero is no reason for a finer tolerance."""
    return float(sum(abs(line[4]) for line in result.lines))


def places(check: Check, row: Row, columns: Iterable[str], unit: Decimal) -> None:
    for column in columns:
        value = number(row, column)
        check.expect(value == value.quantize(unit), f"{row['account_id']} {column}: {row.get(column)}")


def leaves(node: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, key)
    elif isinstance(node, (int, float, str)):
        yield name, str(node)


def marked_days(path: Path, reading: Reading) -> dict[tuple[str, str, str], np.ndarray] | None:
    """Days with a marked entry by segment, as the run lists them; None if the file cannot be understood."""
    rows = read_csv(path)
    if not path.exists() or (rows and not {"jurisdiction", "customer_class", "stream_type"} <= rows[0].keys()):
        return None
    out: dict[tuple[str, str, str], np.ndarray] = {}
    column = next((c for c in (rows[0] if rows else {}) if ("day" in c or "date" in c) and c != "run_date"), "")
    for row in rows:
        segment = (row["jurisdiction"], row["customer_class"], row["stream_type"])
        index = reading.folder.index(date.fromisoformat(row[column][:10]))
        days = out.setdefault(segment, np.zeros(reading.folder.days, dtype=bool))
        if 0 <= index < reading.folder.days:
            days[index] = True
    return out


def nem12_texts(path: Path) -> Iterator[str]:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name).decode() for name in archive.namelist())
    else:
        yield path.read_text(encoding="utf-8")


def load_nemreader(path: Path) -> None:
    from nemreader import read_nem_file

    if not read_nem_file(str(path)).readings:
        raise ValueError("no readings")


def load_mdff(path: Path) -> None:
    import aemo_mdff_reader

    for text in nem12_texts(path):
        if problems := aemo_mdff_reader.validate_file(io.StringIO(text)):
            raise ValueError(problems)
        if not list(aemo_mdff_reader.parse(io.StringIO(text))):
            raise ValueError("no readings")


def listen(load: Callable[[Path], None], path: Path) -> list[str]:
    """Warnings, log records of WARNING and above, and errors, raised while a file is loaded."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear = Ear(logging.WARNING)
    logging.getLogger().addHandler(ear)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", ResourceWarning)  # nemreader leaves its file to the garbage collector
            load(path)
        heard += [str(warning.message) for warning in caught]
    except Exception as error:  # noqa: BLE001 - whatever a peer raises is a finding
        heard.append(f"{type(error).__name__}: {error}")
    finally:
        logging.getLogger().removeHandler(ear)
    return heard
