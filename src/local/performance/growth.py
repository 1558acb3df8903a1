"""How a cost grows with the portfolio, and what it would be at a million accounts."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Point = tuple[int, float]  # accounts, cost

STEEP = 1.05  # an exponent above this is worth looking at
LEAST_SECONDS = 0.05  # less than five ticks of the processor's clock has no shape


def exponent(points: Sequence[Point]) -> float | None:
    """The slope of log(cost) over log(accounts): 1 is linear, 2 quadratic. None when there is nothing to fit."""
    if len({accounts for accounts, _ in points}) < 2 or min(cost for _, cost in points) < LEAST_SECONDS:
        return None
    logs = np.log(np.array(points, dtype=np.float64))
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def extrapolate(points: Sequence[Point], accounts: int) -> float:
    """The cost at so many accounts.

    A fixed part and a part per account, neither below zero, that miss the measures least in proportion. A cost that
    grows faster than the accounts goes on with its exponent from the largest measure.
    """
    largest, cost = max(points)
    steepness = exponent(points)
    if steepness is not None and steepness > STEEP:
        return float(cost * (accounts / largest) ** steepness)
    if len(points) == 1 or cost <= 0:
        return cost * accounts / largest
    fixed, each = _line([(n, max(c, 1e-9)) for n, c in points])
    return fixed + each * accounts


def _line(points: Sequence[Point]) -> tuple[float, float]:
    counts, costs = np.array(points, dtype=np.float64).T
    rows = np.column_stack([1 / costs, counts / costs])
    fixed, each = np.linalg.lstsq(rows, np.ones(len(costs)), rcond=None)[0]
    if fixed < 0:
        return 0.0, _only(rows[:, 1])
    if each < 0:
        return _only(rows[:, 0]), 0.0
    return float(fixed), float(each)


def _only(column: npt.NDArray[np.float64]) -> float:
    return math.fsum(column) / math.fsum(column**2)
