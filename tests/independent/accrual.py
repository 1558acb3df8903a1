"""A second opinion on one month-end accrual, written from docs/arithmetic.md and nothing else.

Speed and memory do not matter here; being easy to check against that page does. believed.py has the reads that are
believed, profiles.py the segments, methods.py the scalars, prices.py the plans. This module has the days and the meters.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path

import numpy as np
from tests.independent.believed import (
    INDEX_DAY,
    Span,
    believed_half_hours,
    rows_that_agree,
    spans_of,
    stepping,
)
from tests.independent.folder import (
    ESTIMATED,
    FAR,
    MISSING,
    READ,
    Account,
    Folder,
    IndexRead,
    IntervalDays,
    Invoice,
    PlanRow,
    Register,
    a_year_before,
)
from tests.independent.methods import (
    CAP,
    MIN_REFERENCE_DAYS,
    REFERENCE_DAYS,
    VACANT_DAYS,
    Estimate,
    History,
    distance,
    from_reads,
    latest_days,
    own_shape,
    recent_days,
)
from tests.independent.prices import ITEM, Prices
from tests.independent.profiles import GIANT, Macro, Member, Profile, Segment, profile_of

GRACE_DAYS, PROFILE_DAYS = 10, 541
CENT, MILLI = Decimal("0.01"), Decimal("0.001")


@dataclass
class Result:
    account: Account
    unbilled: np.ndarray
    bases: set[str] = field(default_factory=set)  # COMPLETE unless one of SHARED, DELIVERED_E, PROFILE, GIANT
    methods: set[str] = field(default_factory=set)
    scalars: dict[str, float] = field(default_factory=dict)
    used: dict[Segment, np.ndarray] = field(default_factory=dict)  # days of each segment's profile that were used
    uses_marked: bool = False
    flags: set[str] = field(default_factory=set)
    problem: str = ""
    unpriced: bool = False  # some units have no price; they count as units, at no dollars
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

    def rely_on(self, segment: Segment, macro: Macro, days: np.ndarray | None) -> None:
        if days is None:
            return
        self.used[segment] = self.used.get(segment, False) | days
        self.uses_marked |= bool((macro.doubtful & days).any())


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


class Reading(Prices):
    """FROM, TO and AS_AT as a run takes them; without them the twelve months to the first of run_date's month."""

    def __init__(
        self, path: Path, run_date: date, first: date | None = None, last: date | None = None, as_at: date | None = None
    ) -> None:
        self.end = last + timedelta(days=1) if last else run_date.replace(day=1)
        self.start = first or self.end.replace(year=self.end.year - 1)
        super().__init__(Folder(path, self.end, a_year_before(self.start)))
        self.accrual_date = self.end - timedelta(days=1)
        self.as_at = as_at or self.accrual_date
        # Interval reads: of the last 541 days, or from 91 days before FROM.
        first = min(self.end - timedelta(days=PROFILE_DAYS), self.start - timedelta(days=REFERENCE_DAYS))
        self.reads_from = max(first, self.folder.first)

    # -- unbilled days -------------------------------------------------------------------------------------------------

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

    # -- segment profiles ----------------------------------------------------------------------------------------------

    def occupancy(self, account: Account) -> np.ndarray:
        return self.folder.between(account.opened, account.closed)

    def interval_days(self, register: Register) -> IntervalDays:
        """What came for a register, on the days that it was there."""
        data = self.folder.intervals.get((register.site, register.suffix))
        if data is None:
            shape = (self.folder.days, 48)
            return IntervalDays(np.zeros(shape), np.full(shape, MISSING, dtype=np.int8))
        there = self.folder.between(max(register.start, self.reads_from), register.end)[:, None]
        return IntervalDays(data.kwh, np.where(there, data.worth, MISSING))

    def believed(self, account: Account, register: Register) -> IntervalDays:
        """Of an account's days those that are believed; of the others everything."""
        return believed_half_hours(self.interval_days(register), self.occupancy(account), account.customer_class)

    @cached_property
    def profiles(self) -> dict[Segment, Profile]:
        members: dict[Segment, list[Member]] = defaultdict(list)
        for account in self.folder.accounts:
            for register in self.folder.registers[account.site]:
                if account.fuel == "ELECTRICITY" and not register.basic:
                    segment = (account.jurisdiction, account.customer_class, register.stream)
                    occupied = self.occupancy(account) & self.up_to_the_end
                    data = self.believed(account, register)
                    for meter, there in self.meters(register):
                        members[segment].append((meter, occupied & there, data))
        used = self.folder.index(self.reads_from)
        return {
            segment: profile_of(found, self.folder.day_types(segment[0]), used) for segment, found in members.items()
        }

    def meters(self, register: Register) -> Iterator[tuple[Register, np.ndarray]]:
        """The meters that a stream went through, each with its days: a profile's weights and giants are of meters."""
        starts = [start for start, _ in register.lives]
        for start, end in register.lives:
            last = min([end, *(other - timedelta(days=1) for other in starts if other > start)])
            yield replace(register, start=start, end=end, lives=((start, end),)), self.folder.between(start, last)

    @cached_property
    def up_to_the_end(self) -> np.ndarray:
        return self.folder.between(self.folder.first, self.accrual_date)

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

    # -- macro profiles ------------------------------------------------------------------------------------------------

    def macro(self, account: Account, stream: str) -> tuple[Segment, Macro]:
        nothing = np.full(self.folder.days, np.nan)
        if account.fuel == "GAS":
            segment = (account.jurisdiction, account.node, "GAS")
            daily = self.folder.gas.get((account.jurisdiction, account.node), nothing)
            degrees = self.folder.degrees.get((account.jurisdiction, account.node))
            return segment, Macro(daily, np.isnan(daily), degrees=degrees)
        segment = (account.jurisdiction, account.customer_class, stream)
        profile = self.profiles.get(segment)
        if profile is None:
            return segment, Macro(nothing, np.ones(self.folder.days, dtype=bool))
        return segment, Macro(profile.macro, profile.marked.any(axis=1), profile)

    # -- basic registers -----------------------------------------------------------------------------------------------

    def reads(self, account: Account, register: Register) -> list[IndexRead]:
        last = account.closed + timedelta(days=1) if account.closed < FAR else FAR
        reads = self.folder.index_reads.get((register.site, register.serial, register.register_id), [])
        return [read for read in reads if account.opened <= read.day <= last]

    def spans(self, account: Account, register: Register) -> tuple[list[Span], list[Span]]:
        """The believed spans between actual reads, and those of estimates that were delivered after the last of them."""
        reads = self.reads(account, register)
        actual = [read for read in reads if read.actual]
        step = stepping(actual, register.digits, INDEX_DAY[account.fuel, account.customer_class])
        rows = rows_that_agree(actual or reads, step)
        known = [span for row in rows for span in spans_of(row, step)]
        if not actual:
            return [], known
        last = [rows[-1][-1]]
        for read in reads:
            if not read.actual and read.day > last[-1].day and step(last[-1], read) is not None:
                last.append(read)
        return known, spans_of(last, step)

    def basic(self, result: Result, register: Register) -> None:
        account = result.account
        segment, macro = self.macro(account, register.stream)
        wanted = result.unbilled & self.counted(account, register)
        actual, delivered = self.spans(account, register)
        covered = np.zeros_like(wanted)
        for state, read in [*(("ACTUAL", span) for span in actual), *(("ESTIMATED", span) for span in delivered)]:
            span = self.folder.between(read.start, read.end - timedelta(days=1))
            covered |= span
            if (span & wanted).any():
                self.share(result, register, read.used, span, wanted, state=state)
        missing = wanted & ~covered
        if not missing.any():
            return
        history = History(actual, macro.daily, self.folder.first, self.degrees_to_the_end(macro))
        found = self.basic_estimate(account, register, history, macro)
        scalar = self.judge(result, register, found)
        result.rely_on(segment, macro, found.days)
        if scalar:
            result.rely_on(segment, macro, missing)
        total = found.base + (self.with_means(macro, found) * scalar if scalar else np.zeros(self.folder.days))
        if found.degree_slope and macro.degrees is not None:
            total = total + found.degree_slope * macro.degrees
        self.put(result, register.stream, "ESTIMATED", np.where(missing, total, 0))

    def degrees_to_the_end(self, macro: Macro) -> np.ndarray | None:
        """The zone's degree-days up to the accrual date, which is the end of what is estimated."""
        return None if macro.degrees is None else macro.degrees[: self.folder.index(self.accrual_date) + 1]

    def with_means(self, macro: Macro, found: Estimate) -> np.ndarray:
        """The macro profile; a day without a value has the mean of the days that the scalar rests on."""
        known = found.days is not None and found.days.any()
        return np.where(np.isnan(macro.daily), macro.daily[found.days].mean() if known else np.nan, macro.daily)

    def share(
        self, result: Result, register: Register, amount: float, span: np.ndarray, wanted: np.ndarray, *, state: str
    ) -> None:
        """Spread a read span over its days by macro, and keep what falls on the wanted ones."""
        segment, macro = self.macro(result.account, register.stream)
        weight = np.where(span, macro.daily, 0.0)
        if not weight.sum() > 0:
            weight = span.astype(float)
        prices = {tuple(r.order for r in self.prices_on(result.account, int(i))) for i in np.flatnonzero(span)}
        if (span & ~wanted).any() or len(prices) > 1:
            result.bases.add("SHARED")
            result.rely_on(segment, macro, span)
        if state == "ESTIMATED":
            result.bases.add("DELIVERED_E")
        self.put(result, register.stream, state, np.where(span & wanted, amount * weight / weight.sum(), 0))

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

    def basic_estimate(self, account: Account, register: Register, history: History, macro: Macro) -> Estimate:
        giant_day = macro.profile.giant_day if macro.profile else np.inf
        found = from_reads(history, account.fuel, account.customer_class, giant_day)
        if found is None:
            found = self.from_older_reads(account, register, history, macro)
        if found.mean > giant_day and not found.giant:
            return Estimate("GIANT_DAILY_MEAN", 0.0, None, found.mean, giant=True)
        return found

    def from_older_reads(self, account: Account, register: Register, history: History, macro: Macro) -> Estimate:
        older = list(history.spans)
        for other in self.folder.registers[register.site]:
            if other.basic and other.suffix == register.suffix and not beside(other, register) and other != register:
                older += self.spans(account, other)[0]
        covered = [span for span in older if history.volume(span) is not None]
        for method, spans in (("OLDER_READS", covered), ("OWN_DAILY_MEAN", history.spans)):
            days = sum(span.days for span in spans)
            if days < MIN_REFERENCE_DAYS:
                continue
            mean = sum(span.used for span in spans) / days
            if method == "OLDER_READS":
                return Estimate(method, history.scalar(spans) or 0.0, history.days(spans), mean=mean)
            return self.fall_back(account, register, macro, mean)
        return self.fall_back(account, register, macro, None)

    def judge(self, result: Result, register: Register, found: Estimate) -> float:
        """The scalar as it is used; notes the method."""
        capped = max(found.scalar, 0.0) if found.giant else min(max(found.scalar, 0.0), CAP)
        result.methods.add(found.method)
        result.flags |= {found.flag, "CAPPED" if capped < found.scalar else "", "GIANT" if found.giant else ""} - {""}
        result.bases.add("GIANT" if found.giant else "PROFILE")
        result.scalars[f"{register.serial}/{register.suffix}"] = capped
        return capped

    def other_meters(self, account: Account, register: Register, macro: Macro) -> Estimate | None:
        """What meters before or after this one counted: those of the latest reads, and those beside them, added up."""
        same = [r for r in self.folder.registers[register.site] if r.stream == register.stream]
        found = []
        for other in same:
            if beside(other, register):
                continue
            days, used = self.history(account, other, macro)
            if days.sum() >= MIN_REFERENCE_DAYS and macro.daily[days].sum() > 0:
                found.append((int(np.flatnonzero(days)[-1]), days, used, other))
        if not found:
            return None
        latest = max(found, key=lambda one: one[0])
        together = [(days, used) for _, days, used, other in found if beside(other, latest[3])]
        sharing = sum(beside(other, register) for other in same)
        scalar = sum(used / macro.daily[days].sum() for days, used in together) / sharing
        mean = sum(used / days.sum() for days, used in together) / sharing
        return Estimate("OTHER_METER", float(scalar), latest[1], mean=float(mean))

    def history(self, account: Account, register: Register, macro: Macro) -> tuple[np.ndarray, float]:
        """The days that another meter's usage is known on, and what was used on them."""
        if not register.basic:
            data = self.believed(account, register)
            days = data.complete & self.occupancy(account) & ~np.isnan(macro.daily)
            days[np.flatnonzero(days)[:-REFERENCE_DAYS]] = False
            return days, float(data.kwh[days].sum())
        history = History(self.spans(account, register)[0], macro.daily, self.folder.first)
        spans = history.reference() if history.spans else []
        covered = [span for span in spans or history.spans if history.volume(span) is not None]
        return history.days(covered), sum(span.used for span in covered)

    def fall_back(
        self, account: Account, register: Register, macro: Macro, own: float | None, last_year: Estimate | None = None
    ) -> Estimate:
        """The rest of the table; `own` is the mean day of a register that has reads, but no profile to set them against."""
        if own is None and (other := self.other_meters(account, register, macro)) is not None:
            return other
        billed, days = 0.0, np.zeros(self.folder.days, dtype=bool)
        for invoice in self.valid_invoices(account):
            covered = self.folder.between(invoice.start, invoice.end)
            recent = invoice.start >= self.folder.first and a_year_before(self.end) <= invoice.end <= self.accrual_date
            if not invoice.estimated and recent and macro.daily[covered].sum() > 0:  # not where the profile has a hole
                billed += invoice.quantity.get(register.stream, 0.0)
                days |= covered
        same = [r for r in self.folder.registers[register.site] if r.stream == register.stream]
        billed /= sum(beside(other, register) for other in same)
        if days.any():
            return Estimate("INVOICES", billed / float(macro.daily[days].sum()), days, mean=billed / days.sum())
        if last_year is not None:
            return last_year
        if own is not None:
            return Estimate("OWN_DAILY_MEAN", 0.0, None, own, own)
        return Estimate("SEGMENT_AVERAGE", self.zone_mean(account) if account.fuel == "GAS" else 1.0)

    def zone_mean(self, account: Account) -> float:
        """The mean scalar of a zone's customers of a class, without those above twenty times their median."""
        scalars = []
        for other in self.folder.accounts:
            if (other.fuel, other.node, other.customer_class) == ("GAS", account.node, account.customer_class):
                _, macro = self.macro(other, "PRIMARY")
                for register in self.folder.registers[other.site]:
                    history = History(self.spans(other, register)[0], macro.daily, self.folder.first)
                    spans = history.reference() if history.spans else []
                    if spans and all(history.volume(span) for span in spans):
                        scalars.append(history.scalar(spans))
        usual = [scalar for scalar in scalars if scalar <= GIANT * np.median(scalars)]
        return float(np.mean(usual)) if usual else 0.0

    # -- interval registers -----------------------------------------------------------------------------

    def interval(self, result: Result, register: Register) -> None:
        account = result.account
        local_day, _ = self.clock(account.jurisdiction)
        wanted = result.unbilled & self.counted(account, register)
        needed = np.append(wanted, False)[local_day]  # market half-hours; -1 is off the grid
        data = self.believed(account, register)
        classes = self.time_classes(account, ITEM[register.stream])
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
        """Half-hours [days, 48] in kWh of the days of one gap."""
        account = result.account
        segment, macro = self.macro(account, register.stream)
        types = self.folder.day_types(account.jurisdiction)
        gap = np.flatnonzero(missing.any(axis=1))
        away = distance(self.folder.days, int(gap[0]), int(gap[-1]))
        complete, daily = data.complete & self.occupancy(account) & self.up_to_the_end, data.kwh.sum(axis=1)
        giant = macro.profile is not None and any(m in macro.profile.giants for m, _ in self.meters(register))
        found = recent_days(daily, complete, away, macro.daily) or latest_days(daily, complete, macro.daily)
        found = found or self.without_days(account, register, macro, (daily, complete), gap)
        if giant and found.days is not None:
            found = Estimate("GIANT_DAILY_MEAN", 0.0, found.days, giant=True)
        if found.scalar == 0 and found.base == 0 and not giant:
            found = replace(found, flag=idle_flag(daily, complete, int(gap[0])))
        scalar = self.judge(result, register, found)
        if found.method in {"GIANT_DAILY_MEAN", "OWN_DAILY_MEAN"}:
            return own_days(data.kwh, complete if found.days is None else found.days, types)
        result.rely_on(segment, macro, found.days)
        if not scalar:
            return np.zeros(missing.shape)
        result.rely_on(segment, macro, missing.any(axis=1))
        filled = macro.profile.filled if macro.profile else np.full(missing.shape, np.nan)
        mean = macro.daily[found.days].mean() if found.days is not None else np.nan
        guess = scalar * np.where(np.isnan(filled), mean / 48, filled)
        for day in gap:
            own = own_shape(data.kwh, complete, away, types, str(types[day]))
            if found.method == "RECENT_DAYS" and own is not None and not np.isnan(macro.daily[day]):
                guess[day] = scalar * macro.daily[day] * own
        if np.isnan(guess[missing]).any():
            result.problem = "no profile on a missing day"
            guess = np.nan_to_num(guess)
        return guess

    def without_days(
        self, account: Account, register: Register, macro: Macro, days: tuple[np.ndarray, np.ndarray], gap: np.ndarray
    ) -> Estimate:
        """The methods for a register that lacks fourteen complete days with a profile."""
        daily, complete = days
        same = [int(day) - 364 for day in gap]  # so that weekdays meet
        found = np.zeros(self.folder.days, dtype=bool)
        found[[day for day in same if day >= 0 and complete[day] and macro.daily[day] > 0]] = True
        last_year = (
            Estimate("LAST_YEAR", float(daily[found].sum() / macro.daily[found].sum()), found) if found.any() else None
        )
        near = complete & (np.arange(self.folder.days) >= gap[0] - REFERENCE_DAYS)
        own = float(daily[near].mean()) if near.sum() >= MIN_REFERENCE_DAYS else None
        left = self.fall_back(account, register, macro, own, last_year)
        return replace(left, days=near) if left.method == "OWN_DAILY_MEAN" else left

    # -- rating ------------------------------------------------------------------------------------------------

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
                    result.unpriced = True
        for (row, state), quantity in filled.items():
            if quantity:
                add_line(result, row, state, quantity)

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


def beside(one: Register, other: Register) -> bool:
    """Whether two registers, or one and itself, were there at the same time for more than the day of an exchange."""
    return min(one.end, other.end) > max(one.start, other.start)


def idle_flag(daily: np.ndarray, complete: np.ndarray, first_missing: int) -> str:
    """VACANT: read for a year before the gap, and nothing was used."""
    known = np.flatnonzero(complete[:first_missing])
    year = known[known >= first_missing - VACANT_DAYS - MIN_REFERENCE_DAYS]
    long = len(year) > 0 and year[0] <= first_missing - VACANT_DAYS
    return "VACANT" if long and not daily[year].any() else "ZERO_USE"


def own_days(kwh: np.ndarray, days: np.ndarray, types: np.ndarray) -> np.ndarray:
    """The mean half-hours of a meter's own days of each day type; of all of them where it has none of a type."""
    means = {t: kwh[of if (of := days & (types == t)).any() else days].mean(axis=0) for t in "WEH"}
    return np.array([means[t] for t in types])


def add_line(result: Result, row: PlanRow, state: str, quantity: Decimal) -> None:
    gross = quantity * row.rate * (-1 if row.item == "FEED_IN" else 1)
    net = cents(gross * (1 - row.discount * row.propensity))
    result.lines.append((row.item, row.time_class, state, quantity, net, row.item != "FEED_IN"))
