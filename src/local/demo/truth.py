"""What was really used and not billed, account by account: the truth with which an accrual is compared.

truth.csv is in the portfolio's folder and is never read as input. Its columns:

account_id, site_id, read_type   as in the portfolio; read_type is INTERVAL or BASIC, gas is BASIC too
plan_code
unbilled_from, unbilled_to       first and last unbilled day of the period, blank when there is none
unbilled_days                    number of unbilled days (days between the two may be billed)
units_true                       kWh or MJ of PRIMARY + CONTROL on those days, to 3 decimals
solar_true                       kWh exported to the grid on those days
net_true                         their price ex GST: after discounts, feed-in subtracted, lines rounded to the cent
units_known                      the part of units_true that actual or substituted reads cover exactly
naive_estimate                   units_known + last bill's daily average x the days not known; blank without a bill
complete                         true when reads cover all of it: units and dollars must then match exactly
cases                            the awkward cases of this account, with spaces between
"""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from local.demo.cast import GAS, INTERVAL
from local.demo.index_reads import IndexRead, known_days
from local.demo.interval_reads import known_half_hours
from local.demo.metered import Metered
from local.demo.scene import Scene
from local.demo.tariffs import ITEMS, LONG_AGO, WINDOWS, priced_lines
from local.demo.tenancies import Tenancy
from local.demo.timeline import Flags, Integers

COLUMNS = (
    "account_id",
    "site_id",
    "read_type",
    "plan_code",
    "unbilled_from",
    "unbilled_to",
    "unbilled_days",
    "units_true",
    "solar_true",
    "net_true",
    "units_known",
    "naive_estimate",
    "complete",
    "cases",
)
MILLI = Decimal("0.001")


def truth_row(metered: Metered, tenancy: Tenancy, reads: list[IndexRead], scene: Scene) -> tuple[object, ...]:
    """Return an account's row of truth.csv."""
    timeline = scene.timeline
    unbilled = tenancy.unbilled(timeline)
    days = [day for day, flag in zip(timeline.days, unbilled.tolist(), strict=True) if flag]
    per_day = {stream: _per_bill_day(metered, values, scene) for stream, values in metered.values.items()}
    known, share_known = _known(metered, reads, unbilled, scene)
    lines = priced_lines(scene.prices[tenancy.tenant.plan], metered.daily_use(tenancy, scene), unbilled, timeline)
    units = {stream: int(values[unbilled].sum()) * metered.unit for stream, values in per_day.items()}
    billable = [stream for stream in units if stream != "SOLAR"]
    units_known = sum((known[stream] for stream in billable), Decimal(0))
    complete = bool(days) and all(bool(share_known[stream][unbilled].all()) for stream in units)
    return (
        tenancy.account_id,
        metered.site_id,
        "INTERVAL" if metered.place.kind == INTERVAL else "BASIC",
        tenancy.tenant.plan,
        days[0] if days else None,
        days[-1] if days else None,
        len(days),
        _milli(sum((units[stream] for stream in billable), Decimal(0))),
        _milli(units.get("SOLAR", Decimal(0))),
        sum((line.net_amount for line in lines), Decimal("0.00")),
        _milli(units_known),
        _naive(metered, tenancy, per_day, units_known, share_known, unbilled, scene),
        "true" if complete else "false",
        " ".join(_cases(metered, tenancy, unbilled, scene)),
    )


def _milli(value: Decimal) -> Decimal:
    return value.quantize(MILLI, ROUND_HALF_UP)


def _per_bill_day(metered: Metered, values: Integers, scene: Scene) -> Integers:
    if metered.place.kind == INTERVAL:
        return scene.clocks[metered.place.jurisdiction].sum_by_local_day(values)
    return values


def _known(
    metered: Metered, reads: list[IndexRead], unbilled: Flags, scene: Scene
) -> tuple[dict[str, Decimal], dict[str, Flags]]:
    """Return per stream what reads cover of the unbilled days, and which days they cover completely."""
    units: dict[str, Decimal] = {}
    whole: dict[str, Flags] = {}
    for stream, values in metered.values.items():
        if metered.place.kind != INTERVAL:
            whole[stream] = known_days(reads, stream, unbilled, scene.timeline)
            units[stream] = int(values[whole[stream] & unbilled].sum()) * metered.unit
            continue
        clock = scene.clocks[metered.place.jurisdiction]
        known = known_half_hours(metered, stream, scene.timeline)
        missing = clock.sum_by_local_day(np.ones_like(values), ~known)
        whole[stream] = missing == 0
        units[stream] = int(clock.sum_by_local_day(values, known)[unbilled].sum()) * metered.unit
    return units, whole


def _naive(  # noqa: PLR0917
    metered: Metered,
    tenancy: Tenancy,
    per_day: dict[str, Integers],
    units_known: Decimal,
    share_known: dict[str, Flags],
    unbilled: Flags,
    scene: Scene,
) -> Decimal | None:
    """Extend the last valid bill's daily average over the days that are not known."""
    valid = [bill for bill in tenancy.bills if not bill.reversed and bill.issued <= scene.timeline.accrual]
    if not valid:
        return None
    bill = valid[-1]
    billed = scene.timeline.span(bill.start, bill.end)
    total = units_known
    for stream, values in per_day.items():
        if stream != "SOLAR":
            average = (
                Decimal(int(values[billed].sum())) * metered.unit * Decimal(str(bill.share or 1)) / int(billed.sum())
            )
            total += average * int((unbilled & ~share_known[stream]).sum())
    return _milli(total)


def _cases(metered: Metered, tenancy: Tenancy, unbilled: Flags, scene: Scene) -> list[str]:
    """Return the cases that the cast names, and those that follow from dates and plan."""
    place, plan = metered.place, tenancy.tenant.plan
    found = [*tenancy.tenant.cases, *place.cases]
    found.append("gas" if place.kind == GAS else place.kind.lower())
    if any(item.block for item in ITEMS[plan]):
        found.append("blocks")
    if any(item.percent for item in ITEMS[plan]):
        found.append("discount")
    if place.kind == INTERVAL and plan in WINDOWS:
        found.append("time_of_use")
    found += [f"stream_{stream.lower()}" for stream in place.streams[1:]]
    timeline = scene.timeline
    starts = {price.from_date for price in scene.prices[plan]} - {LONG_AGO}
    if any(
        timeline.at(start) > 0 and unbilled[timeline.at(start)] and unbilled[timeline.at(start) - 1] for start in starts
    ):
        found.append("price_change")
    if place.kind == INTERVAL:
        clock = scene.clocks[place.jurisdiction]
        local_half_hours = np.bincount(clock.local_day[clock.local_day >= 0], minlength=len(unbilled))
        inside = unbilled.copy()
        inside[[0, -1]] = False  # days outside the simulation
        if (local_half_hours[inside] != 48).any():
            found.append("daylight_saving_switch")
        weekdays = np.array([day.weekday() < 5 for day in timeline.days])
        if (clock.weekend & weekdays & unbilled).any():
            found.append("public_holiday")
    return sorted(set(found))
