"""Whether the bands of earlier month ends held what was read later."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from local.backtest.score import PRODUCT, Observation, grouped

PERCENTS = (80, 95)
# Nothing of the account itself, or nobody of ours, is behind these: they are in no band.
WITHOUT_BAND = {"SEGMENT_AVERAGE", "OWN_DAILY_MEAN", "DELIVERED_ESTIMATE", "NONE"}


class Band(NamedTuple):
    """The band of a fuel at a month end, in units (kWh or MJ): mid is what it is about."""

    fuel: str
    mid: float
    low_80: float
    high_80: float
    low_95: float
    high_95: float


@dataclass(frozen=True)
class Held:
    """The band of a fuel at a month end, cut to the accounts that are settled, and what was read of them later."""

    run_date: date
    fuel: str
    accounts: int
    missing: float
    estimated: float
    limits: dict[int, tuple[float, float]]  # low and high, by percent

    def within(self, percent: int) -> bool:
        """Whether the band held it."""
        low, high = self.limits[percent]
        return low <= self.missing <= high


def held(bands: dict[date, Sequence[Band]], observations: Iterable[Observation]) -> Iterator[Held]:
    """Each month end's band of each fuel beside the truth.

    A band is about all estimates of the fuel, the truth is known of the settled accounts. So its limits, as shares of its mid, are put
    around what was estimated of those.
    """
    own = [o for o in observations if o.method not in WITHOUT_BAND]
    for (fuel,), of_fuel in grouped(own, lambda o: (o.fuel,)).items():
        for run_date, found in sorted(bands.items()):
            accounts = [o for o in of_fuel if o.run_date == run_date]
            band = next((one for one in found if one.fuel == fuel and one.mid > 0), None)
            if band is None or not accounts:
                continue
            estimated = sum(o.estimates[PRODUCT] for o in accounts)
            share = estimated / band.mid
            limits = {80: (share * band.low_80, share * band.high_80), 95: (share * band.low_95, share * band.high_95)}
            yield Held(run_date, fuel, len(accounts), sum(o.missing for o in accounts), estimated, limits)


def accounts_sentences(observations: Sequence[Observation]) -> Iterator[str]:
    """One a fuel and one a segment: how often the accounts' own bands held, of those that have one."""
    by_segment = grouped(observations, lambda o: (o.fuel, o.segment))
    for group, found in sorted({**grouped(observations, lambda o: (o.fuel,)), **by_segment}.items()):
        counts = []
        for percent in PERCENTS:
            own = [o for o in found if percent in o.limits]
            if own:
                within = sum(o.within(percent) for o in own)
                counts.append(f"the {percent} % band held {within} of {len(own)} ({within / len(own):.0%})")
        name = " ".join([group[0].lower(), *group[1:]])
        yield (
            f"accounts, {name}: {', '.join(counts)}" if counts else f"accounts, {name}: none of {len(found)} has a band"
        )


def sentences(found: Sequence[Held]) -> Iterator[str]:
    """One a fuel: how often the bands held."""
    for fuel in sorted({one.fuel for one in found}):
        own = [one for one in found if one.fuel == fuel]
        counts = (f"the {percent} % band in {sum(one.within(percent) for one in own)}" for percent in PERCENTS)
        yield f"{fuel.lower()}: of {len(own)} month ends {', '.join(counts)} held what was read later"
