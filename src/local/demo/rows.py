"""Rows of the portfolio's files, in the order of their columns."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from local.demo.cast import GAS
from local.demo.holidays import public_holidays
from local.demo.index_reads import IndexRead
from local.demo.metered import NODES, Metered
from local.demo.scene import WEATHER_STATION, ZONE, Scene
from local.demo.tariffs import STREAM_OF_ITEM, DailyUse, priced_lines, windows
from local.demo.tenancies import Bill, Tenancy
from local.demo.timeline import TIME_ZONES
from local.demo.weather import spells
from shared.metering.nmi import nmi_checksum

Row = Sequence[object]
MILLI = Decimal("0.001")
ZONE_CUSTOMERS = 9000


def plan_rows(scene: Scene) -> Iterator[Row]:
    """plans.csv."""
    for own in scene.prices.values():
        yield from own


def time_class_rows() -> Iterator[Row]:
    """time_classes.csv."""
    for window in windows():
        clock = [f"{half_hour // 2:02}:{half_hour % 2 * 30:02}" for half_hour in (window.start, window.end)]
        yield (window.plan_code, window.time_class, window.days, *clock)


def public_holiday_rows(scene: Scene) -> Iterator[Row]:
    """public_holidays.csv."""
    for jurisdiction in TIME_ZONES:
        days = public_holidays(jurisdiction, scene.timeline.first.year, scene.run_date.year)
        yield from ((jurisdiction, day) for day in sorted(days))


def gas_volume_rows(scene: Scene) -> Iterator[Row]:
    """gas_volumes.csv: many more customers than ours, of the same kind and with the same weather."""
    zones = [(jurisdiction, node) for jurisdiction, nodes in NODES.items() for node in nodes]
    days = [day for day in scene.timeline.days if day <= scene.timeline.accrual]
    for number, (jurisdiction, node) in enumerate(zones):
        rng = scene.rng(ZONE, number)
        per_customer = 38.0 + 14.5 * scene.weathers[jurisdiction].heating
        noise = np.exp(0.03 * spells(rng, len(per_customer), 0.3))
        volumes = ZONE_CUSTOMERS * rng.uniform(0.7, 1.3) * per_customer * noise
        for day, volume in zip(days, volumes.tolist(), strict=False):
            yield jurisdiction, node, day, f"{volume:.0f}"


def temperature_rows(scene: Scene) -> Iterator[Row]:
    """temperatures.csv: of every other gas zone, measured in one place of it."""
    zones = [(jurisdiction, node) for jurisdiction, nodes in NODES.items() for node in nodes]
    for number, (jurisdiction, node) in enumerate(zones):
        if number % 2:
            continue
        felt = scene.weathers[jurisdiction].temperature
        measured = felt + scene.rng(WEATHER_STATION, number).normal(0.0, 0.6, len(felt))
        for day, celsius in zip(scene.timeline.days, measured.tolist(), strict=True):
            if day <= scene.timeline.accrual:
                yield jurisdiction, node, day, f"{celsius:.1f}"


def account_rows(metered: Metered) -> Iterator[Row]:
    """accounts.csv."""
    place = metered.place
    fuel = "GAS" if place.kind == GAS else "ELECTRICITY"
    site_id = metered.site_id + (str(nmi_checksum(metered.site_id)) if place.checksum else "")
    segment = "MASS_MARKET" if place.customer_class == "RES" else "SMALL_BUSINESS"
    for own in metered.tenancies:
        where = (fuel, place.customer_class, place.jurisdiction, segment, site_id, metered.node)
        yield (own.account_id, *where, own.tenant.plan, own.opened, own.closed, own.billing_days, own.next_bill)


def basic_read_rows(metered: Metered, reads: list[IndexRead]) -> Iterator[Row]:
    """basic_reads.csv."""
    numbers = {stream: f"{number:02}" for number, stream in enumerate(metered.values, start=1)}
    for read in reads:
        register = (metered.site_id, read.serial, numbers[read.stream])
        yield (*register, read.day, f"{read.index:f}", metered.factor, read.quality)


def invoice_rows(metered: Metered, scene: Scene) -> Iterator[tuple[Row, list[Row]]]:
    """Yield each row of invoices.csv with its rows of invoice_lines.csv."""
    for tenancy in metered.tenancies:
        use = metered.daily_use(tenancy, scene)
        previous: Bill | None = None
        for number, bill in enumerate(tenancy.bills, start=1):
            invoice_id = f"{tenancy.account_id}-{number:02}"
            corrected = previous if previous is not None and previous.estimated else None
            yield (
                (invoice_id, tenancy.account_id, bill.start, bill.end, bill.issued, *_flags(bill)),
                [(invoice_id, *line) for line in _bill_lines(tenancy, bill, corrected, use, scene)],
            )
            previous = bill


def _flags(bill: Bill) -> tuple[str, str]:
    return str(bill.estimated).lower(), str(bill.reversed).lower()


def _bill_lines(
    tenancy: Tenancy, bill: Bill, corrected: Bill | None, use: DailyUse, scene: Scene
) -> Iterator[tuple[object, ...]]:
    """Price a bill: an estimate bills its share of the truth, the next bill corrects the rest."""
    timeline = scene.timeline
    billed = timeline.span(bill.start, bill.end)
    scaled = {}
    for key, quantities in use.quantities.items():
        total = int(quantities[billed].sum())
        ratio = bill.share if bill.share is not None else 1.0
        if corrected is not None and corrected.share is not None and total:
            left = int(quantities[timeline.span(corrected.start, corrected.end)].sum()) * (1 - corrected.share)
            ratio += left / total
        scaled[key] = quantities if ratio == 1.0 else np.rint(quantities * ratio).astype(np.int64)
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for line in priced_lines(scene.prices[tenancy.tenant.plan], DailyUse(scaled, use.unit), billed, timeline):
        sums[line.item_type, line.time_class][0] += line.quantity
        sums[line.item_type, line.time_class][1] += line.net_amount
    for (item_type, time_class), (quantity, net) in sums.items():
        rounded = quantity if item_type == "DAILY" else quantity.quantize(MILLI, ROUND_HALF_UP)
        yield item_type, STREAM_OF_ITEM.get(item_type), time_class, rounded, net
