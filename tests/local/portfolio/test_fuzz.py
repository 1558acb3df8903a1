"""Whatever is damaged, the outcome is a portfolio or a refusal; the long run is `make fuzz`."""

import random
from collections import Counter
from pathlib import Path

from tests.local.portfolio.fuzzing import BATCH, METER_FILES, RUN_DATE, judge, run, spoil

from local.portfolio.format import read_portfolio

COUNT = 2000
# What is in the fuzzer's files but must be refused as it is.
REFUSED = {"basic.csv", "utf16.csv", "twice.csv.gz", "nested.zip"}


def test_two_thousand_damages_are_taken_or_refused():
    outcomes: Counter[str] = Counter()
    for first in range(0, COUNT, BATCH):
        outcomes += run((7, first, first + BATCH))
    assert set(outcomes) == {"taken", "refused"}
    assert outcomes.total() == COUNT
    assert min(outcomes.values()) > COUNT / 50


def test_what_is_damaged_is_sound_before(tmp_path: Path):
    """Otherwise everything would be refused for a fault of the fuzzer's own."""
    folder = tmp_path / "portfolio"
    spoil(folder, random.Random(1))[1]()
    for name in METER_FILES.keys() - REFUSED:
        (folder / "nem12" / name).write_bytes(METER_FILES[name])
    assert len(read_portfolio(folder, RUN_DATE).meter_data.items) == 3


def test_a_case_is_its_seed_and_number(tmp_path: Path):
    outcomes = [[judge(tmp_path / "portfolio", 3, number) is None for number in range(50)] for _ in range(2)]
    assert outcomes[0] == outcomes[1]
