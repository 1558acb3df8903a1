"""What all places share: the timeline, clocks, weather and prices."""

import functools
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import numpy as np

from local.demo.tariffs import Price, classes_of, prices
from local.demo.timeline import TIME_ZONES, Clock, Flags, Timeline, clock_of
from local.demo.weather import Weather, weather_of

# Independent random streams, so that a change in one place changes nothing in another.
WEATHER, PLACE, READS, ZONE, WEATHER_STATION = range(5)


@dataclass(frozen=True)
class Scene:
    """Everything that the places of a portfolio with one seed and run date have in common."""

    seed: int
    run_date: date

    @functools.cached_property
    def timeline(self) -> Timeline:
        return Timeline(self.run_date)

    @functools.cached_property
    def weathers(self) -> dict[str, Weather]:
        return {
            jurisdiction: weather_of(self.timeline, jurisdiction, self.rng(WEATHER, number))
            for number, jurisdiction in enumerate(TIME_ZONES)
        }

    @functools.cached_property
    def clocks(self) -> dict[str, Clock]:
        return {jurisdiction: clock_of(self.timeline, jurisdiction) for jurisdiction in TIME_ZONES}

    @functools.cached_property
    def prices(self) -> dict[str, list[Price]]:
        found: dict[str, list[Price]] = defaultdict(list)
        for price in prices(self.timeline):
            found[price.plan_code].append(price)
        return found

    def rng(self, purpose: int, number: int) -> np.random.Generator:
        """Return the random generator of one thing, the same whatever else is drawn."""
        return np.random.default_rng([self.seed, purpose, number])

    def time_classes(self, plan_code: str, item_type: str, jurisdiction: str) -> dict[str, Flags]:
        """Return, by time class, a flag for each market half-hour (day x 48) of a plan's item."""
        key = (plan_code, item_type, jurisdiction)
        if key not in self._classes:
            self._classes[key] = classes_of(plan_code, item_type, self.clocks[jurisdiction])
        return self._classes[key]

    @functools.cached_property
    def _classes(self) -> dict[tuple[str, str, str], dict[str, Flags]]:
        return {}
