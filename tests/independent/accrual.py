"""A second opinion on one month-end accrual, written from the design's arithmetic (its section 4) and nothing else.

Rule numbers below are that section's. Speed and memory do not matter here; being easy to check against the rules does.
Where the rules leave the order open (the fall-backs after the first method) an account's basis says FALLBACK, and the
comparison reports it without judging it.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from tests.independent.folder import (
    ESTIMATED,
    FAR,
    MISSING,
    READ,
    Account,
    Folder,
    IntervalDays,
    Invoice,
    PlanRow,
    Register,
)

MIN_SITES, LOW, HIGH, EITHER_SIDE = 5, 1 / 3, 3, 7
MIN_SPAN_DAYS, REFERENCE_DAYS, MIN_REFERENCE_DAYS = 60, 91, 14
CAP, GIANT = 20, 20
GRACE_DAYS = 10
FILL_REACH = 45  # days: "nearest within the season"
ITEM = {"PRIMARY": "USAGE", "CONTROL": "CONTROL", "SOLAR": "FEED_IN"}
CENT, MILLI = Decimal("0.01"), Decimal("0.001")

Segment = tuple[str, str, str]


@dataclass
class Profile:
    """One segment's half-hours [days, 48] as averaged, its marks, and the same with the marked entries filled."""

    average: np.ndarray
    marked: np.ndarray
    filled: np.ndarray
    giants: set[Register]

    @property
    def macro(self) -> np.ndarray:
        return self.filled.sum(axis=1)


@dataclass
class Macro:
    """Daily total to scale by, the days of it that rest on a marked entry, and the half-hour shape (electricity)."""

    daily: np.ndarray
    doubtful: np.ndarray
    profile: Profile | None = None


@dataclass
class Result:
    account: Account
    unbilled: np.ndarray
    bases: set[str] = field(default_factory=set)  # COMPLETE unless one of SHARED, DELIVERED_E, PROFILE, FALLBACK, GIANT
    methods: set[str] = field(default_factory=set)
    scalars: dict[str, float] = field(default_factory=dict)
    used: dict[Segment, np.ndarray] = field(default_factory=dict)  # days of each segment's profile that were used
    uses_marked: bool = False
    problem: str = ""
    quantities: dict[tuple[str, str, str], np.ndarray] = field(default_factory=dict)  # stream, class, state -> by day
    lines: list[tuple[str, str, str, Decimal, Decimal, bool]] = field(default_factory=list)  # ..., net, taxable

    @property
    def complete(self) -> bool:
        return not self.bases and not self.problem

    @property
    def basis(self) -> str:
        return "+".join(sorted(self.bases)) or "COMPLETE"

    def units(self, *states: str) -> float:
        return sum(
            q.sum() for (stream, _, state), q in self.quantities.items() if stream != "SOLAR" and state in states
        )

    @property
    def net(self) -> Decimal:
        return sum((line[4] for line in self.lines), Decimal(0))

    @property
    def gst(self) -> Decimal:
        return sum((cents(line[4] / 10) for line in self.lines if line[5]), Decimal(0))

    def add(self, stream: str, time_class: str, state: str, by_day: np.ndarray) -> None:
        key = (stream, time_class, state)
        self.quantities[key] = self.quantities.get(key, 0) + by_day

    def rely_on(self, segment: Segment, macro: Macro, days: np.ndarray) -> None:
        self.used[segment] = self.used.get(segment, False) | days
        self.uses_marked |= bool((macro.doubtful & days).any())


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


class Reading:
    """FROM, TO and AS_AT as a run takes them; without them the twelve months to the first of run_date's month."""

    def __init__(
        self, path: Path, run_date: date, first: date | None = None, last: date | None = None, as_at: date | None = None
    ) -> None:
        self.end = last + timedelta(days=1) if last else run_date.replace(day=1)
        self.folder = Folder(path, self.end)
        self.start = first or self.end.replace(year=self.end.year - 1)
        self.accrual_date = self.end - timedelta(days=1)
        self.as_at = as_at or self.accrual_date
        self._clocks: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    # -- rule 1: unbilled days -----------------------------------------------------------------------------------------

    def valid_invoices(self, account: Account) -> list[Invoice]:
        invoices = self.folder.invoices.get(account.account_id, [])
        return [i for i in invoices if not i.reversed and i.issued <= self.as_at]

    def supply_days(self, account: Account) -> np.ndarray:
        return self.folder.between(max(account.opened, self.start), min(account.closed, self.accrual_date))

    def unbilled_days(self, account: Account) -> np.ndarray:
        days = self.supply_days(account)
        for invoice in self.valid_invoices(account):
            days &= ~self.folder.between(invoice.start, invoice.end)
        return days

    def due_state(self, account: Account) -> str:
        late = (self.as_at - account.next_bill).days
        return "NOT_DUE" if late < 0 else "OVERDUE" if late > GRACE_DAYS else "DUE"

    # -- rule 2: segment profiles --------------------------------------------------------------------------------------

    def occupancy(self, account: Account) -> np.ndarray:
        return self.folder.between(account.opened, account.closed)

    def interval_days(self, register: Register) -> IntervalDays:
        """What came for a register, on the days that it was there."""
        data = self.folder.intervals.get((register.site, register.suffix))
        if data is None:
            shape = (self.folder.days, 48)
            return IntervalDays(np.zeros(shape), np.full(shape, MISSING, dtype=np.int8))
        there = self.folder.between(register.start, register.end)[:, None]
        return IntervalDays(data.kwh, np.where(there, data.worth, MISSING))

    @cached_property
    def profiles(self) -> dict[Segment, Profile]:
        members: dict[Segment, list[tuple[Register, np.ndarray, IntervalDays]]] = defaultdict(list)
        for account in self.folder.accounts:
            for register in self.folder.registers[account.site]:
                if account.fuel == "ELECTRICITY" and not register.basic:
                    segment = (account.jurisdiction, account.customer_class, register.stream)
                    members[segment].append((register, self.occupancy(account), self.interval_days(register)))
        return {segment: self.average(segment, registers) for segment, registers in members.items()}

    def average(self, segment: Segment, members: list[tuple[Register, np.ndarray, IntervalDays]]) -> Profile:
        giants = self.giants(members)
        weights = self.weights([member for member in members if member[0] not in giants])
        shape = (self.folder.days, 48)
        total, weight, count = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=int)
        by_site: dict[str, np.ndarray] = {}
        for register, occupied, data in members:
            if register in giants:
                continue
            usable = (data.worth == READ) & occupied[:, None]
            total += np.where(usable, data.kwh, 0)
            weight += usable * weights[register]
            count += usable
            by_site[register.site] = by_site.get(register.site, False) | usable
        average = np.where(weight > 0, total / np.where(weight > 0, weight, 1), 0)
        average[count == 0] = np.nan
        sites = sum(usable.astype(int) for usable in by_site.values()) if by_site else count
        marked = (sites < MIN_SITES) | outliers(average)
        return Profile(average, marked, self.fill(average, marked, self.folder.day_types(segment[0])), giants)

    def weights(self, members: list[tuple[Register, np.ndarray, IntervalDays]]) -> dict[Register, float]:
        """What each register uses when the average register uses one: 1 without a complete day, 0 without use."""
        used: dict[
            Register, np.ndarray
        ] = {}  # kWh of each complete day under the segment's accounts, nan on the others
        for register, occupied, data in members:
            days = np.where(data.complete & occupied, data.kwh.sum(axis=1), np.nan)
            before = used.get(register, np.full(self.folder.days, np.nan))
            used[register] = np.where(np.isnan(before), days, before)
        known = {register: days for register, days in used.items() if not np.isnan(days).all()}
        means = {register: float(np.nanmean(days)) for register, days in known.items()}
        overall = float(np.mean(list(means.values()))) if means else 0.0
        weights = {register: mean / overall if overall else 0.0 for register, mean in means.items()}
        for _ in range(2):
            profile = np.zeros(self.folder.days)
            for day in range(self.folder.days):
                present = [register for register, days in known.items() if not np.isnan(days[day])]
                weight = sum(weights[register] for register in present)
                if weight:
                    profile[day] = sum(known[register][day] for register in present) / weight
            for register, days in known.items():
                total = profile[~np.isnan(days)].sum()
                weights[register] = float(np.nansum(days) / total) if total else 0.0
        return {register: weights.get(register, 1.0) for register in used}

    def giants(self, members: list[tuple[Register, np.ndarray, IntervalDays]]) -> set[Register]:
        sums: dict[Register, list[float]] = defaultdict(lambda: [0.0, 0])
        for register, occupied, data in members:
            days = data.complete & occupied
            sums[register][0] += data.kwh[days].sum()
            sums[register][1] += int(days.sum())
        means = {register: total / days for register, (total, days) in sums.items() if days}
        limit = GIANT * float(np.median(list(means.values()))) if means else 0
        return {register for register, mean in means.items() if mean > limit}

    def fill(self, average: np.ndarray, marked: np.ndarray, types: np.ndarray) -> np.ndarray:
        """From the nearest sound day of the same type, then from last year's; what nothing can fill stays as it is."""
        filled, open_entries, count = average.copy(), marked.copy(), len(average)
        season = [step for n in range(1, FILL_REACH + 1) for step in (-n, n)]
        for step in season + [-364 + n for n in range(-21, 22)]:
            day = np.arange(max(0, -step), max(0, min(count, count - step)))
            sound = ~marked[day + step] & (types[day] == types[day + step])[:, None]
            usable = open_entries[day] & sound
            filled[day] = np.where(usable, average[day + step], filled[day])
            open_entries[day] &= ~usable
        return filled

    # -- which register measures which day -----------------------------------------------------------------------------

    def counted(self, account: Account, register: Register) -> np.ndarray:
        """The days that a register's stream has at the account's site, each day of a type once and none lost.

        The day of a change of meters is the new one's. A stream goes on through a hole between its meters, and after its
        end for as long as the site has no PRIMARY register (or none at all, where it never has a PRIMARY one).
        """
        nobody = np.zeros(self.folder.days, dtype=bool)
        if register.start > account.closed or register.end < account.opened:
            return nobody
        site = [
            r for r in self.folder.registers[register.site] if r.start <= account.closed and r.end >= account.opened
        ]
        own, of_type, known = nobody.copy(), nobody.copy(), nobody.copy()
        primary = any(r.stream == "PRIMARY" for r in site)
        for other in site:
            for start, end in other.lives:
                days = self.folder.between(start, end)
                of_type |= days & (other.stream == register.stream)
                known |= days & (other.stream == "PRIMARY" or not primary)
        starts = {start for other in site if other.stream == register.stream for start, _ in other.lives}
        for start, end in register.lives:
            handed_over = end in starts and end > start
            own |= self.folder.between(start, end - timedelta(days=1) if handed_over else end)
        goes_on = self.folder.between(register.start, register.end) & ~of_type
        index = self.folder.index(register.end) + 1
        while 0 <= index < self.folder.days and not known[index]:
            goes_on[index] = True
            index += 1
        return own | goes_on

    # -- rule 3: macro profiles ----------------------------------------------------------------------------------------

    def macro(self, account: Account, stream: str) -> tuple[Segment, Macro]:
        nothing = np.full(self.folder.days, np.nan)
        if account.fuel == "GAS":
            segment = (account.jurisdiction, account.node, "GAS")
            daily = self.folder.gas.get((account.jurisdiction, account.node), nothing)
            return segment, Macro(daily, np.isnan(daily))
        segment = (account.jurisdiction, account.customer_class, stream)
        profile = self.profiles.get(segment)
        if profile is None:
            return segment, Macro(nothing, np.ones(self.folder.days, dtype=bool))
        return segment, Macro(profile.macro, profile.marked.any(axis=1), profile)

    # -- rules 4 and 5: basic registers --------------------------------------------------------------------------------

    def own_reads(self, account: Account, register: Register) -> list[tuple[date, float, float]]:
        last = account.closed + timedelta(days=1) if account.closed < FAR else FAR
        reads = self.folder.actual_reads.get((register.site, register.serial, register.register_id), [])
        return [read for read in reads if account.opened <= read[0] <= last]

    def basic(self, result: Result, register: Register) -> None:
        account = result.account
        segment, macro = self.macro(account, register.stream)
        wanted = result.unbilled & self.counted(account, register)
        reads = self.own_reads(account, register)
        covered = np.zeros_like(wanted)
        for before, after in pairwise(reads):
            span = self.folder.between(before[0], after[0] - timedelta(days=1))
            covered |= span
            if (span & wanted).any():
                self.share(result, register, usage(before, after, register), span, wanted)
        missing = wanted & ~covered
        if not missing.any():
            return
        scalar = self.basic_scalar(result, register, reads)
        result.rely_on(segment, macro, missing)
        self.put(result, register.stream, "ESTIMATED", np.where(missing, scalar * macro.daily, 0))

    def share(self, result: Result, register: Register, amount: float, span: np.ndarray, wanted: np.ndarray) -> None:
        """Spread a read span over its days by macro, and keep what falls on the wanted ones."""
        segment, macro = self.macro(result.account, register.stream)
        weight = np.where(span, macro.daily, 0.0)
        if not weight.sum() > 0:
            weight = span.astype(float)
        prices = {tuple(r.order for r in self.prices_on(result.account, int(i))) for i in np.flatnonzero(span)}
        if (span & ~wanted).any() or len(prices) > 1:
            result.bases.add("SHARED")
            result.rely_on(segment, macro, span)
        self.put(result, register.stream, "ACTUAL", np.where(wanted, amount * weight / weight.sum(), 0))

    def put(self, result: Result, stream: str, state: str, by_day: np.ndarray) -> None:
        if np.isnan(by_day).any():
            result.problem = "no macro value on an unbilled day"
            by_day = np.nan_to_num(by_day)
        divided: dict[str, np.ndarray] = defaultdict(lambda: np.zeros_like(by_day))
        for index in np.flatnonzero(by_day):
            for name, share in self.class_shares(result.account, ITEM[stream], int(index)).items():
                divided[name][index] = by_day[index] * share
        for name, amounts in divided.items():
            result.add(stream, name, state, amounts)
        if not divided:
            result.add(stream, "ANYTIME", state, by_day)

    def class_shares(self, account: Account, item: str, index: int) -> dict[str, float]:
        """An index has no time of day: its day is divided by the hours of the classes, unless ANYTIME has a price."""
        names = {row.time_class for row in self.prices_on(account, index) if row.item == item}
        weekday = self.folder.day_types(account.jurisdiction)[index] == "W"
        kinds = {"ALL", "WEEKDAY" if weekday else "WEEKEND"}
        hours: dict[str, float] = defaultdict(float)
        for name, days, start, end in self.folder.windows.get(self.plan_on(account, index), []):
            if name in names and days in kinds:
                hours[name] += end - start
        if "ANYTIME" in names or not hours:
            return {"ANYTIME": 1.0}
        return {name: minutes / sum(hours.values()) for name, minutes in hours.items()}

    def basic_scalar(self, result: Result, register: Register, reads: list[tuple[date, float, float]]) -> float:
        segment, macro = self.macro(result.account, register.stream)
        earlier = [read for read in reads if (reads[-1][0] - read[0]).days >= MIN_SPAN_DAYS]
        if earlier:
            span = self.folder.between(earlier[-1][0], reads[-1][0] - timedelta(days=1))
            in_grid = earlier[-1][0] >= self.folder.first
            if in_grid and macro.daily[span].sum() > 0:
                result.rely_on(segment, macro, span)
                first = reads.index(earlier[-1])
                used = sum(usage(a, b, register) for a, b in pairwise(reads[first:]))
                return self.judge(result, register, "READS", used / macro.daily[span].sum())
        return self.fall_back(result, register, macro)

    def judge(self, result: Result, register: Register, method: str, scalar: float) -> float:
        capped = min(max(scalar, 0.0), CAP)
        result.methods.add(method + ("-CAPPED" if capped < scalar else ""))
        result.bases.add("PROFILE" if method in {"READS", "DAYS"} else "FALLBACK")
        result.scalars[f"{register.serial}/{register.suffix}"] = capped
        return capped

    def other_meters(self, result: Result, register: Register, macro: Macro) -> float | None:
        """What meters before or after this one counted: those of the latest reads, and those beside them, added up."""
        same = [r for r in self.folder.registers[register.site] if r.stream == register.stream]
        found = []
        for other in same:
            if beside(other, register):
                continue
            days, used = self.history(result.account, other, macro)
            if days.sum() >= MIN_REFERENCE_DAYS and macro.daily[days].sum() > 0:
                found.append((int(np.flatnonzero(days)[-1]), used / macro.daily[days].sum(), other))
        if not found:
            return None
        latest = max(found, key=lambda one: one[0])[2]
        total = sum(scalar for _, scalar, other in found if beside(other, latest))
        return total / sum(beside(other, register) for other in same)

    def history(self, account: Account, register: Register, macro: Macro) -> tuple[np.ndarray, float]:
        """The days that a register's scalar may rest on, and what was used on them."""
        if not register.basic:
            data = self.interval_days(register)
            days = data.complete & self.occupancy(account) & ~np.isnan(macro.daily)
            days[np.flatnonzero(days)[:-REFERENCE_DAYS]] = False
            return days, float(data.kwh[days].sum())
        reads = [read for read in self.own_reads(account, register) if read[0] >= self.folder.first]
        if not reads:
            return np.zeros(self.folder.days, dtype=bool), 0.0
        first = max((i for i, r in enumerate(reads) if (reads[-1][0] - r[0]).days >= MIN_SPAN_DAYS), default=0)
        days = self.folder.between(reads[first][0], reads[-1][0] - timedelta(days=1))
        return days, sum(usage(a, b, register) for a, b in pairwise(reads[first:]))

    def fall_back(self, result: Result, register: Register, macro: Macro) -> float:
        other = self.other_meters(result, register, macro)
        if other is not None:
            return self.judge(result, register, "OTHER_METER", other)
        for invoice in sorted(self.valid_invoices(result.account), key=lambda i: i.end, reverse=True):
            total = macro.daily[self.folder.between(invoice.start, invoice.end)].sum()
            if not invoice.estimated and invoice.start >= self.folder.first and total > 0:
                return self.judge(result, register, "INVOICE", invoice.quantity.get(register.stream, 0.0) / total)
        return self.judge(result, register, "SEGMENT", 1.0)

    # -- rules 4 and 6: interval registers -----------------------------------------------------------------------------

    def clock(self, jurisdiction: str) -> tuple[np.ndarray, np.ndarray]:
        if jurisdiction not in self._clocks:
            self._clocks[jurisdiction] = self.folder.local_clock(jurisdiction)
        return self._clocks[jurisdiction]

    def interval(self, result: Result, register: Register) -> None:
        account = result.account
        local_day, _ = self.clock(account.jurisdiction)
        wanted = result.unbilled & self.counted(account, register)
        needed = np.append(wanted, False)[local_day]  # market half-hours; -1 is off the grid
        data = self.interval_days(register)
        classes = self.time_classes(result, ITEM[register.stream])
        self.collect(result, classes, (register.stream, "ACTUAL"), data.kwh, needed & (data.worth == READ))
        delivered = needed & (data.worth == ESTIMATED)
        if delivered.any():
            result.bases.add("DELIVERED_E")
        self.collect(result, classes, (register.stream, "ESTIMATED"), data.kwh, delivered)
        missing = needed & (data.worth == MISSING)
        if missing.any():
            guess = self.estimate(result, register, data, missing)
            self.collect(result, classes, (register.stream, "ESTIMATED"), guess, missing)

    def estimate(self, result: Result, register: Register, data: IntervalDays, missing: np.ndarray) -> np.ndarray:
        """Half-hours [days, 48] in kWh, each gap of consecutive days by itself."""
        lacking = missing.any(axis=1)
        starts = np.flatnonzero(lacking & ~np.append(False, lacking[:-1]))
        guess = np.zeros(missing.shape)
        for first, after in zip(starts, [*starts[1:], len(lacking)], strict=True):
            gap = missing.copy()
            gap[:first] = gap[after:] = False
            guess[first:after] = self.estimate_gap(result, register, data, gap)[first:after]
        return guess

    def estimate_gap(self, result: Result, register: Register, data: IntervalDays, missing: np.ndarray) -> np.ndarray:
        """Half-hours [days, 48] in kWh: profile x scalar, or a giant's own mean by day type in the profile's shape."""
        account = result.account
        segment, macro = self.macro(account, register.stream)
        first = int(np.flatnonzero(missing.any(axis=1))[0])
        before = np.zeros(self.folder.days, dtype=bool)
        before[max(0, first - REFERENCE_DAYS) : first] = True
        known = data.complete & self.occupancy(account)
        days = known & before & ~np.isnan(macro.daily)
        filled = macro.profile.filled if macro.profile else np.full(missing.shape, np.nan)
        if macro.profile and register in macro.profile.giants and days.any():
            result.bases.add("GIANT")
            return self.giant(account, data, days, filled)
        result.rely_on(segment, macro, missing.any(axis=1))
        if np.isnan(filled[missing]).any():
            result.problem = "no profile on a missing half-hour"
            filled = np.nan_to_num(filled)
        if days.sum() >= MIN_REFERENCE_DAYS and macro.daily[days].sum() > 0:
            result.rely_on(segment, macro, days)
            return filled * self.judge(result, register, "DAYS", data.kwh[days].sum() / macro.daily[days].sum())
        older = known & ~np.isnan(macro.daily)
        older[np.flatnonzero(older)[:-REFERENCE_DAYS]] = False
        if older.sum() >= MIN_REFERENCE_DAYS and macro.daily[older].sum() > 0:
            return filled * self.judge(result, register, "OLDER", data.kwh[older].sum() / macro.daily[older].sum())
        return filled * self.fall_back(result, register, macro)

    def giant(self, account: Account, data: IntervalDays, days: np.ndarray, filled: np.ndarray) -> np.ndarray:
        types = self.folder.day_types(account.jurisdiction)
        daily = data.kwh.sum(axis=1)
        means = {
            t: daily[days & (types == t)].mean() if (days & (types == t)).any() else daily[days].mean() for t in "WEH"
        }
        total = filled.sum(axis=1, keepdims=True)
        shape = np.where(total > 0, filled / np.where(total > 0, total, 1), 1 / 48)
        return np.array([means[t] for t in types])[:, None] * shape

    # -- rule 7: rating ------------------------------------------------------------------------------------------------

    def plan_on(self, account: Account, index: int) -> str:
        """The plan of a day: of the account's history, or else the account's own."""
        day = self.folder.date(index)
        history = self.folder.histories.get(account.account_id, [])
        return next((plan for plan, start, end in history if start <= day <= end), account.plan)

    def prices_on(self, account: Account, index: int) -> list[PlanRow]:
        """The prices of a day."""
        rows = self.folder.plans.get(self.plan_on(account, index), [])
        return [row for row in rows if row.valid(self.folder.date(index))]

    def time_classes(self, result: Result, item: str) -> np.ndarray:
        """Time class of each market half-hour by the local clock; one that the plan does not price is ANYTIME."""
        account = result.account
        local_day, minute = self.clock(account.jurisdiction)
        weekend = (self.folder.day_types(account.jurisdiction) != "W")[local_day]
        classes = np.full(local_day.shape, "ANYTIME", dtype=object)
        history = self.folder.histories.get(account.account_id, [])
        own = np.ones(self.folder.days, dtype=bool)
        for _, start, end in history:
            own &= ~self.folder.between(start, end)
        for plan, days in [(account.plan, own), *((p, self.folder.between(s, e)) for p, s, e in history)]:
            for name, kind, start, end in self.folder.windows.get(plan, []):
                which = {"ALL": True, "WEEKDAY": ~weekend, "WEEKEND": weekend}[kind]
                priced = np.zeros(self.folder.days, dtype=bool)
                for row in self.folder.plans.get(plan, []):
                    if row.item == item and row.time_class == name:
                        priced |= self.folder.between(row.start, row.end)
                inside = (minute >= start) & (minute < end) if start < end else (minute >= start) | (minute < end)
                classes[inside & which & (priced & days)[local_day]] = name
        return classes

    def collect(
        self, result: Result, classes: np.ndarray, kind: tuple[str, str], kwh: np.ndarray, which: np.ndarray
    ) -> None:
        """Add the chosen market half-hours of one (stream, state) to their local days and time classes."""
        local_day, _ = self.clock(result.account.jurisdiction)
        for name in sorted(set(classes[which])):
            mine = which & (classes == name)
            by_day = np.bincount(local_day[mine], weights=kwh[mine], minlength=self.folder.days)
            result.add(kind[0], name, kind[1], by_day)

    def rate(self, result: Result) -> None:
        prices = {int(i): self.prices_on(result.account, int(i)) for i in np.flatnonzero(result.unbilled)}
        daily = Counter(row for rows in prices.values() for row in rows if row.item == "DAILY")
        for row, days in daily.items():
            add_line(result, row, "ACTUAL", Decimal(days))
        for stream, name in sorted({key[:2] for key in result.quantities}):
            self.rate_blocks(result, stream, name, prices)

    def rate_blocks(self, result: Result, stream: str, name: str, prices: dict[int, list[PlanRow]]) -> None:
        """Days that the same rows price pool their blocks; actual units go first, the sum does not depend on it."""
        pools: dict[tuple[PlanRow, ...], list[int]] = defaultdict(list)
        for index, valid in prices.items():
            rows = [row for row in valid if (row.item, row.time_class) == (ITEM[stream], name)]
            pools[tuple(sorted(rows, key=lambda r: (r.block is None, r.order)))].append(index)
        filled: dict[tuple[PlanRow, str], Decimal] = defaultdict(Decimal)
        for priced, days in pools.items():
            room = {row: row.block * len(days) if row.block is not None else Decimal("Infinity") for row in priced}
            for state in ("ACTUAL", "ESTIMATED"):
                by_day = result.quantities.get((stream, name, state))
                left = Decimal(0) if by_day is None else Decimal(str(round(float(by_day[days].sum()), 9)))
                for row in priced:
                    taken = min(left, room[row])
                    filled[row, state] += taken
                    room[row] -= taken
                    left -= taken
                if left and not (stream == "SOLAR" and self.pays_nothing_for_export(result.account, days)):
                    result.problem = f"no price for {stream} {name}"
        for (row, state), quantity in filled.items():
            if quantity:
                add_line(result, row, state, quantity)

    def pays_nothing_for_export(self, account: Account, days: list[int]) -> bool:
        plans = {self.plan_on(account, index) for index in days}
        return not any(row.item == "FEED_IN" for plan in plans for row in self.folder.plans.get(plan, []))

    # -- everything ----------------------------------------------------------------------------------------------------

    def account(self, account: Account) -> Result:
        result = Result(account, self.unbilled_days(account))
        registers = self.folder.registers.get(account.site, [])
        metered = [r for r in registers if (result.unbilled & self.counted(account, r)).any()]
        for register in metered:
            (self.basic if register.basic else self.interval)(result, register)
        if not metered:
            result.problem = "no register"
        self.rate(result)
        return result

    @cached_property
    def results(self) -> dict[str, Result]:
        """Every account with an unbilled day in the period."""
        out = {}
        for account in sorted(self.folder.accounts, key=lambda a: a.account_id):
            result = self.account(account)
            if result.unbilled.any():
                out[account.account_id] = result
        return out


def outliers(average: np.ndarray) -> np.ndarray:
    """Half-hours below a third or above three times the median of the same half-hour on the seven days either side."""
    padded = np.pad(average, ((EITHER_SIDE, EITHER_SIDE), (0, 0)), constant_values=np.nan)
    steps = [s for s in range(-EITHER_SIDE, EITHER_SIDE + 1) if s]
    around = np.stack([padded[EITHER_SIDE + s : EITHER_SIDE + s + len(average)] for s in steps])
    empty = np.isnan(around).all(axis=0)
    around[:, empty] = 0
    median = np.where(empty, np.nan, np.nanmedian(around, axis=0))
    return np.isnan(average) | (average < median * LOW) | (average > median * HIGH)


def beside(one: Register, other: Register) -> bool:
    """Whether two registers, or one and itself, were there at the same time for more than the day of an exchange."""
    return min(one.end, other.end) > max(one.start, other.start)


def usage(before: tuple[date, float, float], after: tuple[date, float, float], register: Register) -> float:
    """Quantity between two index reads; an index that ran backwards went round, if its digits are known."""
    step = after[1] - before[1]
    if step < 0 and register.digits:
        step += 10**register.digits
    return step * after[2]


def add_line(result: Result, row: PlanRow, state: str, quantity: Decimal) -> None:
    gross = quantity * row.rate * (-1 if row.item == "FEED_IN" else 1)
    net = cents(gross * (1 - row.discount * row.propensity))
    result.lines.append((row.item, row.time_class, state, quantity, net, row.item != "FEED_IN"))
