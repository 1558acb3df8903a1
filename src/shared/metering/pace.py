"""Keeps a reader below a rate: production reads and writes the same table, and a table that is used up throttles both."""

import time
from collections.abc import Callable


class Pace:
    """Waits whenever more was consumed than the rate allows since the beginning; a rate of 0 knows no limit."""

    def __init__(
        self,
        units_per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin now. Units are what the store charges: a read unit of DynamoDB is 8 KB, read eventually consistent."""
        self._rate = units_per_second
        self._clock, self._sleep = clock, sleep
        self._began = clock()
        self._units = 0.0

    def spend(self, units: float) -> None:
        """Account for what was just consumed, and wait until the rate has caught up with it."""
        self._units += units
        if self._rate and (ahead := self._units / self._rate - (self._clock() - self._began)) > 0:
            self._sleep(ahead)
