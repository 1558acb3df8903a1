"""What truly went through a place's meters, and which meters these were."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from local.demo import usage
from local.demo.cast import BASIC, GAS, INTERVAL, Place
from local.demo.scene import Scene
from local.demo.tariffs import ITEM_OF_STREAM, DailyUse
from local.demo.tenancies import Tenancy
from local.demo.timeline import Floats, Integers

SUFFIXES = {
    INTERVAL: {"PRIMARY": "E1", "CONTROL": "E2", "SOLAR": "B1"},
    BASIC: {"PRIMARY": "11", "CONTROL": "41"},
    GAS: {"PRIMARY": "01"},
}
STANDBY_KWH = 0.01  # per half-hour of an empty home, while there is no account to bill
# MJ per cubic metre: heating value times pressure factor.
GAS_FACTOR = Decimal("39.6844")
NODES = {
    "NSW": ("NSW-JEM",),
    "VIC": ("VIC-MEL", "VIC-WES"),
    "SA": ("SA-MET",),
    "WA": ("WA-COA",),
}
NMI_PREFIX = {"NSW": "41", "VIC": "63", "QLD": "31", "SA": "20", "ACT": "70", "TAS": "80", "WA": "88"}


@dataclass(frozen=True)
class Meter:
    """A meter and its days, the last one included; None = still there."""

    serial: str
    start: date
    end: date | None


@dataclass(frozen=True)
class Metered:
    """A place with everything that was true of it.

    values has one array of integers per stream, in `unit` kWh or MJ: per market half-hour (day x 48) of interval
    meters, per market day of others.
    """

    place: Place
    number: int
    site_id: str
    node: str
    tenancies: list[Tenancy]
    meters: list[Meter]
    values: dict[str, Integers]
    unit: Decimal

    @property
    def factor(self) -> Decimal:
        """KWh or MJ per unit of a basic index."""
        return GAS_FACTOR if self.place.kind == GAS else Decimal(self.place.factor)

    def before_rollout(self) -> "Metered":
        """The basic meter of a place that has an interval meter since."""
        daily = {stream: values.sum(axis=1) for stream, values in self.values.items()}
        return replace(self, place=replace(self.place, kind=BASIC), meters=self.meters[:1], values=daily)

    def since_rollout(self) -> "Metered":
        """The same place without its basic meter."""
        return replace(self, meters=self.meters[1:])

    def daily_use(self, tenancy: Tenancy, scene: Scene) -> DailyUse:
        """Return the use per bill day: local days by time class of interval meters, market days of others."""
        jurisdiction = self.place.jurisdiction
        quantities: dict[tuple[str, str], Integers] = {}
        for stream, values in self.values.items():
            item_type = ITEM_OF_STREAM[stream]
            if self.place.kind != INTERVAL:
                quantities[item_type, "ANYTIME"] = values
                continue
            for time_class, where in scene.time_classes(tenancy.tenant.plan, item_type, jurisdiction).items():
                sums = scene.clocks[jurisdiction].sum_by_local_day(values, where)
                quantities[item_type, time_class] = sums
        return DailyUse(quantities, self.unit)


def meter_place(place: Place, number: int, own: list[Tenancy], scene: Scene, rng: np.random.Generator) -> Metered:
    """Simulate a place."""
    streams = {stream: np.zeros(_shape(place, scene)) for stream in place.streams}
    if place.kind != GAS and not place.vacant:
        streams["PRIMARY"] += STANDBY_KWH
    level = _level(place, scene)
    for tenancy in own:
        days = scene.timeline.span(tenancy.opened, tenancy.closed or scene.timeline.days[-1])
        for stream, use in _use(place, level, scene, rng).items():
            streams[stream][days] = 0.0 if place.vacant else use[days]
    unit, values = _in_units(place, streams)
    opened = min(tenancy.opened for tenancy in own)
    nodes = NODES[place.jurisdiction] if place.kind == GAS else (f"{place.jurisdiction}TNI1",)
    return Metered(
        place=place,
        number=number,
        site_id=_site_id(place, number),
        node=nodes[number % len(nodes)],
        tenancies=own,
        meters=_meters(place, number, opened, scene),
        values=values,
        unit=unit,
    )


def _shape(place: Place, scene: Scene) -> tuple[int, ...]:
    days = len(scene.timeline.days)
    return (days,) if place.kind == GAS else (days, 48)


def _level(place: Place, scene: Scene) -> Floats:
    """How much is used of the usual, by day."""
    level = np.ones(len(scene.timeline.days))
    for ago, factor in place.changes:
        level[scene.timeline.at(scene.timeline.ago(ago)) :] = factor
    return level


def _use(place: Place, level: Floats, scene: Scene, rng: np.random.Generator) -> dict[str, Floats]:
    """Simulate one account's use: kWh per market half-hour and stream, or MJ per day."""
    weather, clock = scene.weathers[place.jurisdiction], scene.clocks[place.jurisdiction]
    if place.kind == GAS:
        weekend = clock.weekend.astype(float)
        return {"PRIMARY": place.size * level * usage.gas(rng, weather, weekend, place.customer_class)}
    simulate = usage.household if place.customer_class == "RES" else usage.business
    load = place.size * level[:, np.newaxis] * simulate(rng, clock, weather)
    found = {"PRIMARY": load}
    if "CONTROL" in place.streams:
        found["CONTROL"] = level[:, np.newaxis] * usage.hot_water(rng, clock, weather)
    if "SOLAR" in place.streams:  # the meter sees only what the home does not use itself
        roof = usage.sunshine(rng, weather)
        found |= {"PRIMARY": np.maximum(load - roof, 0.0), "SOLAR": np.maximum(roof - load, 0.0)}
    return found


def _in_units(place: Place, streams: dict[str, Floats]) -> tuple[Decimal, dict[str, Integers]]:
    """Round to what the meter counts in: decimals of kWh, or thousandths of a cubic metre of gas."""
    unit = GAS_FACTOR / 1000 if place.kind == GAS else Decimal(1).scaleb(-place.decimals)
    values = {stream: np.rint(use / float(unit)).astype(np.int64) for stream, use in streams.items()}
    if place.kind == BASIC:
        values = {stream: use.sum(axis=1) for stream, use in values.items()}
    return unit, values


def _site_id(place: Place, number: int) -> str:
    if place.kind == GAS:
        return f"52{number:08}"
    return f"{NMI_PREFIX[place.jurisdiction]}{number:08}"


def _meters(place: Place, number: int, opened: date, scene: Scene) -> list[Meter]:
    if place.swap_ago is None:
        return [Meter(f"M{number:05}", opened, None)]
    swapped = scene.timeline.ago(place.swap_ago)
    return [Meter(f"M{number:05}", opened, swapped - timedelta(days=1)), Meter(f"M{number:05}N", swapped, None)]
