"""Temperature and sunshine, one value a day and jurisdiction: the cause of common movements in usage."""

from dataclasses import dataclass

import numpy as np

from local.demo.timeline import Floats, Timeline

# Mean and summer-winter amplitude of the daily mean temperature, degrees Celsius.
CLIMATES = {
    "NSW": (17.5, 5.5),
    "ACT": (13.5, 8.0),
    "VIC": (15.0, 5.5),
    "QLD": (21.0, 4.5),
    "SA": (16.5, 6.0),
    "TAS": (12.5, 4.5),
    "WA": (18.5, 5.5),
}


@dataclass(frozen=True)
class Weather:
    """Per day: mean temperature, share of clear sky (0-1), half the day's length in hours."""

    temperature: Floats
    clearness: Floats
    half_day_length: Floats

    @property
    def heating(self) -> Floats:
        """Degrees below the point where homes are heated."""
        return np.maximum(0.0, 17.0 - self.temperature)

    @property
    def cooling(self) -> Floats:
        """Degrees above the point where homes are cooled."""
        return np.maximum(0.0, self.temperature - 22.5)


def weather_of(timeline: Timeline, jurisdiction: str, rng: np.random.Generator) -> Weather:
    """Draw the weather: a season with variations of a few days."""
    mean, amplitude = CLIMATES[jurisdiction]
    count = len(timeline.days)
    day_of_year = np.array([day.timetuple().tm_yday for day in timeline.days], dtype=float)
    season = np.cos(2 * np.pi * (day_of_year - 20) / 365.25)  # 1 in late January, -1 in late July
    temperature = mean + amplitude * season + 2.4 * spells(rng, count, 0.7)
    clearness = 1 / (1 + np.exp(-(0.6 + 0.4 * season + 1.1 * spells(rng, count, 0.45))))
    return Weather(temperature, clearness, 6.0 + 1.15 * season)


def spells(rng: np.random.Generator, count: int, memory: float) -> Floats:
    """Return a series of unit variance in which a day resembles the one before it."""
    shocks = rng.standard_normal(count) * np.sqrt(1 - memory**2)
    series = np.empty(count)
    value = rng.standard_normal()
    for day in range(count):
        value = memory * value + shocks[day]
        series[day] = value
    return series
