"""The street's folder, read once."""

from pathlib import Path

import pytest
from tests.local.backtest import street

from local.backtest.known import History, Reads
from local.backtest.months import over_all, run_dates
from local.platform.nem12_reader import read_path
from local.portfolio.format import read_portfolio


@pytest.fixture(scope="session")
def street_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return street.write(tmp_path_factory.mktemp("backtest") / "street")


@pytest.fixture(scope="session")
def history(street_folder: Path) -> History:
    """The street at month ends at which every interval meter is five days behind."""
    return read_history(street_folder, lag=5)


def read_history(folder: Path, lag: int | None = None) -> History:
    dates = run_dates("2025-05", "2025-07")
    portfolio = read_portfolio(folder, dates[-1], period=over_all(dates))
    files = [file for path in sorted((folder / "nem12").iterdir()) for file in read_path(path)]
    return History.of(portfolio, Reads.of(files), lag)
