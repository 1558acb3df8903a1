"""A demo portfolio."""

from datetime import date
from pathlib import Path

import pytest

from local.demo import write_demo

RUN_DATE = date(2026, 11, 1)
DEMO_ACCOUNTS = 130
DEMO_SEED = 7


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo portfolio, as small as it gets."""
    path = tmp_path_factory.mktemp("demo")
    write_demo(path, accounts=DEMO_ACCOUNTS, seed=DEMO_SEED, run_date=RUN_DATE)
    return path
