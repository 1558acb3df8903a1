"""The accounts of a place: when they were there, what was billed, what was not."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from local.demo.cast import GAS, INTERVAL, Place, Tenant
from local.demo.timeline import Flags, Timeline

DAY = timedelta(days=1)
DAYS_TO_ISSUE = 3
# The next bill is expected this long after the day on which the billing cycle ends.
DAYS_TO_BILL = 4
GRACE_DAYS = 10  # after which a bill that is due counts as overdue
ESTIMATED_SHARE = 0.06
SHARE_OF_OLD_CUSTOMERS = 0.5  # of up to three years; the others came up to two years ago


@dataclass(frozen=True)
class Bill:
    """An invoice. `share` is what was billed of the true usage when it is an estimate; `original` was reversed."""

    start: date
    end: date
    issued: date
    share: float | None = None
    reversed: bool = False

    @property
    def estimated(self) -> bool:
        return self.share is not None


@dataclass(frozen=True)
class Tenancy:
    """An account on a place, with its bills in order of time."""

    account_id: str
    tenant: Tenant
    opened: date
    closed: date | None
    billing_days: int
    next_bill: date | None
    bills: list[Bill]

    def unbilled(self, timeline: Timeline) -> Flags:
        """Return a flag per day: supplied, inside the period, and on no valid bill issued up to the accrual date."""
        flags = timeline.span(
            max(self.opened, timeline.period_start), min(self.closed or timeline.accrual, timeline.accrual)
        )
        for bill in self.bills:
            if not bill.reversed and bill.issued <= timeline.accrual:
                flags &= ~timeline.span(bill.start, bill.end)
        return flags


def tenancies(place: Place, first_account: int, timeline: Timeline, rng: np.random.Generator) -> list[Tenancy]:
    """Settle the dates of a place's accounts."""
    return [
        _tenancy(place, tenant, str(first_account + number), timeline, rng)
        for number, tenant in enumerate(place.tenants)
    ]


def _tenancy(place: Place, tenant: Tenant, account_id: str, timeline: Timeline, rng: np.random.Generator) -> Tenancy:
    came = timeline.first if rng.random() < SHARE_OF_OLD_CUSTOMERS else timeline.months_ago(24)
    opened = came + timedelta(days=int(rng.integers(3, 240)))
    if tenant.opened_ago is not None:
        opened = timeline.ago(tenant.opened_ago)
    closed = None if tenant.closed_ago is None else timeline.ago(tenant.closed_ago)
    billing_days = tenant.billing_days or _billing_days(place, tenant, rng)
    last_billed = (closed or timeline.accrual) - timedelta(days=_unbilled_days(tenant, billing_days, rng))
    if tenant.never_billed or last_billed < opened:
        next_bill = opened + timedelta(days=billing_days + DAYS_TO_BILL)
        return Tenancy(account_id, tenant, opened, closed, billing_days, next_bill, [])
    bills = _regular_bills(opened, last_billed, billing_days, rng)
    if place.kind != INTERVAL and place.swap_ago is None:
        _estimate_some(bills, rng)
    _apply_cases(bills, tenant, timeline, rng)
    next_bill = last_billed + timedelta(days=billing_days + DAYS_TO_BILL)
    if closed is not None:
        next_bill = closed + timedelta(days=14)
    done = closed is not None and last_billed == closed
    return Tenancy(account_id, tenant, opened, closed, billing_days, None if done else next_bill, bills)


def _billing_days(place: Place, tenant: Tenant, rng: np.random.Generator) -> int:
    if tenant.unbilled_days is not None:
        return 91  # longer than any window that is asked for
    if place.kind == INTERVAL:
        return int(rng.choice([30, 91, 91]))
    return int(rng.choice([61, 91])) if place.kind == GAS else 91


def _unbilled_days(tenant: Tenant, billing_days: int, rng: np.random.Generator) -> int:
    if tenant.unbilled_days is not None:
        return tenant.unbilled_days
    if tenant.due == "DUE":
        return billing_days + DAYS_TO_BILL + int(rng.integers(0, GRACE_DAYS - 1))
    if tenant.due == "OVERDUE":
        return billing_days + DAYS_TO_BILL + GRACE_DAYS + int(rng.integers(1, 30))
    return int(rng.integers(DAYS_TO_ISSUE + 1, billing_days + 1))


def _regular_bills(opened: date, last_billed: date, billing_days: int, rng: np.random.Generator) -> list[Bill]:
    """One bill after another from the opening, each a few days shorter or longer than the cycle."""
    ends = [last_billed]
    while ends[-1] - timedelta(days=billing_days + 10) > opened:
        ends.append(ends[-1] - timedelta(days=billing_days + int(rng.integers(-2, 3))))
    ends.reverse()
    starts = [opened, *(end + DAY for end in ends[:-1])]
    return [Bill(start, end, end + timedelta(days=DAYS_TO_ISSUE)) for start, end in zip(starts, ends, strict=True)]


def _apply_cases(bills: list[Bill], tenant: Tenant, timeline: Timeline, rng: np.random.Generator) -> None:
    if tenant.estimated_last:
        bills[-1] = _as_estimate(bills[-1], rng.uniform(0.85, 0.97))
    if tenant.issued_late:
        bills[-1] = Bill(bills[-1].start, bills[-1].end, timeline.run_date + DAY)
    if tenant.reversed:
        target = bills[-3]
        bills[-3] = Bill(target.start, target.end, target.issued, reversed=True)
        if tenant.reversed == "rebilled":
            bills.insert(len(bills) - 2, Bill(target.start, target.end, target.issued + timedelta(days=20)))


def _estimate_some(bills: list[Bill], rng: np.random.Generator) -> None:
    """Make some bills estimates, never the last three nor two in a row: the next bill corrects each."""
    draws = rng.random(len(bills))
    for number in range(1, len(bills) - 3):
        if draws[number] < ESTIMATED_SHARE and not bills[number - 1].estimated:
            bills[number] = _as_estimate(bills[number], rng.uniform(0.85, 0.97))


def _as_estimate(bill: Bill, share: float) -> Bill:
    """An estimate is a little low, so that the next actual read is always above it."""
    return Bill(bill.start, bill.end, bill.issued, share=float(share))
