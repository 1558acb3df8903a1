"""The peers do what they are said to do, on days that are worked out by hand; and the bench runs, at a tiny scale."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from local.performance import bench, peers
from local.performance.bench import Contest, Result, Sizes
from shared.metering.interval_store import DayReads, encode_day


def day(values: list[int], minutes: int, qualities: str, scale: int = 3):
    return encode_day(
        DayReads(nmi="6305000001", suffix="E1", day=date(2026, 10, 9), interval_minutes=minutes, scale=scale, values=values,
                 quality_runs=qualities, uom="KWH", file="f.csv", updated="2026-10-20T00:00:00")
    )  # fmt: skip


def test_numpy_sums_parts_and_drops_decimals():
    items = [day([100] * 287 + [140], 5, "1-288:A"), day([1] * 288, 5, "1-6:E57,7-288:A")]
    marks = {"1-288:A": ("A" * 48, 0, 0), "1-6:E57,7-288:A": ("E" + "A" * 47, 1, 0)}
    days = peers.decode(items, marks)
    # 6 x 0.100 kWh is 0.60: one decimal for all, but the last half-hour is 0.64 and needs two
    assert days.half_hours[0].tolist() == [60] * 47 + [64]
    assert days.half_hours[1].tolist() == [6] * 48
    assert days.scales.tolist() == [2, 3]
    assert days.totals.tolist() == [(47 * 60 + 64) * 10_000, 48 * 6 * 1000]
    assert days.excluded.tolist() == [0, 1]
    assert (days.nmis, days.suffixes) == (["6305000001"] * 2, ["E1"] * 2)
    assert days.days.tolist() == [date(2026, 10, 9)] * 2


@pytest.fixture
def data() -> peers.Matrix:
    """Two register-days of a day, the second of one and a half times the weight, without its first half-hour; one of another day."""
    days = np.array(["2026-10-09", "2026-10-09", "2026-10-10"], dtype="datetime64[D]")
    values = np.array([[1_000_000] * 48, [3_000_000] * 48, [5_000_000] * 48], dtype=np.int64)
    weights = np.array([1_000_000, 1_500_000, 1_000_000])
    return peers.Matrix(
        ["NSW|RES|PRIMARY"], np.zeros(3, np.int32), days, weights, np.array([0, 1, (1 << 48) - 1]), values
    )


def test_averages_leave_estimates_out(data, tmp_path):
    path = tmp_path / "days.parquet"
    peers.write_parquet(data, path)
    first = (date(2026, 10, 9) - date(2000, 1, 1)).days
    in_duckdb, in_numpy = peers.average_in_duckdb(path), peers.average_in_numpy(data)
    # (1 + 3) / (1 + 1.5) kWh
    assert list(in_duckdb[0, first]) == [1.0] + [1.6] * 47
    assert in_numpy[0, first].tolist() == [1.0] + [1.6] * 47
    # a day that is estimated as a whole has no average
    assert list(in_duckdb[0, first + 1]) == [None] * 48
    assert np.isnan(in_numpy[0, first + 1]).all()


def test_a_speed_and_a_time_have_opposite_ratios():
    speed = Result(Contest("x", "y", int, int, 0.8, is_speed=True), ours=[2.0, 2.0, 4.0], peer=[1.0, 2.0, 2.0])
    assert (speed.ratios, speed.is_met) == ([0.5, 1.0, 0.5], False)
    taken = Result(Contest("x", "y", int, int, 1.5), ours=[2.0, 3.0, 4.0], peer=[2.0, 2.0, 4.0])
    assert (taken.ratios, taken.is_met) == ([1.0, 1.5, 1.0], True)


def test_every_row_is_measured_and_written(tmp_path: Path):
    """The bench itself refuses to compare what is not the same: a wrong result of a peer would end it."""
    out = tmp_path / "performance.md"
    sizes = Sizes(sites=40, days=110, items=500, rows=50, lines=100, repetitions=1)
    results, (items, _) = bench.run(sizes, out, tmp_path, Console(quiet=True))
    assert items == 500
    text = out.read_text()
    words = ("30-minute", "5-minute", "load", "micro scalars", "DuckDB", "numpy on the same rows", "reset", "BUAAccountSummary",
             "InvoiceLineItemMonthly", "plan and enqueue 500 items")  # fmt: skip
    assert [word for word in words if word not in text] == []
    assert all(ratio > 0 for result in results for ratio in result.ratios)
