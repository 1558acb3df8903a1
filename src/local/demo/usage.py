"""How much homes, businesses, roofs and gas heaters use: the simulator's own shapes, seasons and noise.

All functions return kWh per market half-hour (day x 48), or MJ per day for gas.
"""

import numpy as np

from local.demo.timeline import HALF_HOURS, Clock, Floats
from local.demo.weather import Weather, spells

HOURS = np.arange(HALF_HOURS) / 2 + 0.25


def _bump(centre: float, width: float) -> Floats:
    shape: Floats = np.exp(-0.5 * ((HOURS - centre) / width) ** 2)
    return shape


MORNING = _bump(7.2, 1.1)
MIDDAY = _bump(13.0, 3.0)
EVENING = _bump(19.0, 2.1)
COOLING = _bump(16.5, 3.2)
OFFICE = 1 / (1 + np.exp(-(HOURS - 7.5) * 2.5)) - 1 / (1 + np.exp(-(HOURS - 18.0) * 2.0))
# Hot water under controlled load: switched by a time clock, most of it soon after ten in the evening.
TANK = np.where((HOURS > 22) | (HOURS < 5), np.exp(-(((HOURS - 22) % 24) / 2.5)), 0.0)


def household(rng: np.random.Generator, clock: Clock, weather: Weather) -> Floats:
    """Simulate a home: appliances by the clock, heating and cooling by the weather, people who come and go."""
    size = rng.lognormal(0.0, 0.4)
    workday = rng.uniform(0.05, 0.12) + rng.uniform(0.05, 0.3) * MORNING + rng.uniform(0.25, 0.6) * EVENING
    daytime = rng.uniform(0.02, 0.2) * MIDDAY
    holiday = workday + daytime + rng.uniform(0.05, 0.2) * MIDDAY
    pattern = np.where(clock.weekend[:, np.newaxis], holiday, workday + daytime)
    heating = rng.gamma(3.0, 0.012) * (0.5 * MORNING + EVENING)
    cooling = rng.gamma(2.5, 0.014) * COOLING
    load = pattern + weather.heating[:, np.newaxis] * heating + weather.cooling[:, np.newaxis] * cooling
    return size * _by_the_clock(load, clock) * _noise(rng, len(load), 0.16)


def business(rng: np.random.Generator, clock: Clock, weather: Weather) -> Floats:
    """Simulate a small business: opening hours on workdays, less on others, some cooling."""
    size = rng.lognormal(0.6, 0.45)
    base = rng.uniform(0.1, 0.3)
    open_days = base + rng.uniform(0.6, 1.2) * OFFICE
    closed_days = base + rng.uniform(0.0, 0.5) * OFFICE
    pattern = np.where(clock.weekend[:, np.newaxis], closed_days, open_days)
    load = pattern + weather.cooling[:, np.newaxis] * rng.gamma(2.0, 0.01) * OFFICE
    return size * _by_the_clock(load, clock) * _noise(rng, len(load), 0.08, away=False)


def hot_water(rng: np.random.Generator, clock: Clock, weather: Weather) -> Floats:
    """Simulate a hot water tank under controlled load: it uses more when the water is colder."""
    daily = rng.uniform(3.0, 7.0) * (1.0 + 0.03 * (18.0 - weather.temperature))
    load = np.maximum(daily, 0.5)[:, np.newaxis] * TANK / TANK.sum()
    return _by_the_clock(load, clock) * _noise(rng, len(load), 0.2)


def sunshine(rng: np.random.Generator, weather: Weather) -> Floats:
    """Simulate solar panels. They follow the sun, not daylight saving, so they are in market time."""
    size = rng.uniform(3.0, 8.0)
    height = 1.0 - ((HOURS - 12.0)[np.newaxis, :] / weather.half_day_length[:, np.newaxis]) ** 2
    output = np.maximum(0.0, height) ** 1.4 * (0.15 + 0.75 * weather.clearness)[:, np.newaxis]
    result: Floats = 0.5 * size * output * rng.uniform(0.8, 1.0, output.shape)
    return result


def gas(rng: np.random.Generator, weather: Weather, weekend: Floats, customer_class: str) -> Floats:
    """Simulate a gas customer's MJ per day: a base of cooking and hot water, and heating.

    Water comes in colder in winter. Everybody heats up to a temperature of their own, and walls remember the day before.
    """
    days = len(weekend)
    noise = np.exp(0.18 * spells(rng, days, 0.3))
    felt = 0.65 * weather.temperature + 0.35 * np.roll(weather.temperature, 1)
    heating = np.maximum(0.0, rng.normal(17.0, 1.0) - felt)
    water = 1.0 + 0.015 * (17.0 - weather.temperature)
    if customer_class == "BUS":
        per_day = rng.lognormal(5.6, 0.6) * water * (1 - 0.6 * weekend) + rng.gamma(2.0, 14.0) * heating
    else:
        per_day = rng.lognormal(3.2, 0.5) * water + rng.gamma(2.0, 6.5) * heating
    result: Floats = per_day * noise
    return result


def _by_the_clock(load: Floats, clock: Clock) -> Floats:
    """Move a load given by local half-hours to the market half-hours in which they fall."""
    rows = np.arange(len(load))[:, np.newaxis]
    moved: Floats = load[rows, clock.local_half_hour]
    return moved


def _noise(rng: np.random.Generator, days: int, spread: float, *, away: bool = True) -> Floats:
    """Noise: correlated from day to day, independent between half-hours, with occasional days away."""
    daily = np.exp(spread * spells(rng, days, 0.5))
    if away and rng.random() < 0.4:
        start = int(rng.integers(0, days))
        daily[start : start + int(rng.integers(5, 15))] *= 0.3
    half_hours: Floats = daily[:, np.newaxis] * rng.gamma(4.0, 0.25, (days, HALF_HOURS))
    return half_hours
