"""Exponents and extrapolation, on costs whose law is known."""

import pytest

from local.performance.growth import exponent, extrapolate

SCALES = (1000, 3000, 10_000)


def test_linear_quadratic_and_constant():
    assert exponent([(n, 0.002 * n) for n in SCALES]) == pytest.approx(1)
    assert exponent([(n, 1e-7 * n * n) for n in SCALES]) == pytest.approx(2)
    assert exponent([(n, 4.0) for n in SCALES]) == pytest.approx(0)


def test_one_scale_or_next_to_nothing_has_no_exponent():
    assert exponent([(1000, 5.0)]) is None
    assert exponent([(1000, 0.01), (3000, 0.4)]) is None


def test_one_scale_goes_on_in_proportion():
    assert extrapolate([(1000, 5.0)], 1_000_000) == pytest.approx(5000)


def test_a_fixed_part_stays():
    assert extrapolate([(n, 3 + 0.002 * n) for n in SCALES], 1_000_000) == pytest.approx(3 + 2000)
    assert extrapolate([(n, 3.0) for n in SCALES], 1_000_000) == pytest.approx(3)


def test_a_steep_cost_goes_on_steeply():
    assert extrapolate([(n, 1e-7 * n * n) for n in SCALES], 1_000_000) == pytest.approx(1e5)


def test_neither_part_is_below_zero():
    # The line through both would begin at -1.6 s; a slope alone misses them least, in proportion, at 1.008 ms an account:
    # the best slope of costs c at n accounts is sum(n / c) / sum((n / c)^2).
    points = [(1000, 1.0), (10_000, 10.3)]
    ratios = [n / c for n, c in points]
    assert extrapolate(points, 1_000_000) == pytest.approx(1e6 * sum(ratios) / sum(r * r for r in ratios))
