"""An account explained from its files: every figure worked out by hand."""

import dataclasses
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.shared.report.by_hand import Account, Line, Run, Span, write
from tests.shared.report.two_months import OCTOBER, SECOND, WINDOW

from shared.errors import InvalidInput
from shared.report import explain
from shared.report.table import Table

# A basic meter: 91 days of reference with 364 kWh over a profile of 182; October missing, its profile 5 a day: 2 x 155 = 310 kWh.
SCALAR = (
    "7", "site-7", "M1", "11", "PRIMARY", "BASIC", 1, "READS", Decimal(2), Decimal(0), None, date(2026, 7, 2), date(2026, 9, 30), 91,
    Decimal(364), Decimal(182), Decimal(1), None, None, False, False, False, *OCTOBER, "NSW|RES|PRIMARY", Decimal(0),
)  # fmt: skip
REPLACED = (*SCALAR[:2], "M2", *SCALAR[3:])  # of a meter on which no day is estimated
READS = [
    ("7", "M1", "11", date(2026, 7, 2), Decimal(1000), Decimal(1), "A", "PLATFORM"),
    ("7", "M1", "11", date(2026, 10, 1), Decimal(1364), Decimal(1), "A", "PLATFORM"),
    ("7", "M1", "11", date(2026, 11, 1), Decimal(1674), Decimal(1), "E", "BUA"),
]
BILL = (
    "B7",
    "7",
    date(2026, 7, 2),
    date(2026, 9, 30),
    date(2026, 10, 3),
    True,
    "USAGE",
    "PRIMARY",
    "ANYTIME",
    Decimal(360),
    "108.00",
    91,
)


def _run() -> Run:
    """The second hand-made month, with account 7 explained above and account 8, which is fully billed."""
    return dataclasses.replace(
        SECOND,
        accounts=(*SECOND.accounts, Account("7", flags="CATCH_UP;ESTIMATED_BILL"), Account("8")),
        spans=(
            *SECOND.spans,
            Span("7", WINDOW[0], date(2026, 9, 30), invoice_id="B7", issued_date=date(2026, 10, 3), is_estimated_bill=True),
            Span("7", *OCTOBER, "ACCRUED", "NOT_DUE", "WITHIN"),
            Span("8", *WINDOW),
        ),
        lines=(
            *SECOND.lines,
            Line("7", 1, *OCTOBER, "1.00", "1", item="DAILY", stream=None, rate="1.00"),
            Line("7", 2, *OCTOBER, "2.88", "10", state="ESTIMATED", discount="0.12", whole="0.15", rate="0.30"),
        ),
        evidence={
            "scalars": [REPLACED, SCALAR], "basic_reads": READS, "billed_lines": [BILL],
            "profiles": [("NSW|RES|PRIMARY", date(2026, 10, n), Decimal(5), None) for n in range(1, 32)],
        },
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(_run(), tmp_path / "run")


def _table(found: explain.Explanation, key: str) -> Table:
    return next(table for table in found.tables if table.key == key)


def test_the_estimate_step_by_step(folder: Path) -> None:
    steps = {name: value for name, value, _ in _table(explain.of_folder(folder, "7"), "estimate_1").rows}
    assert steps["Days missing"] == 31
    assert (steps["Used in the reference window"], steps["Profile over the reference window"]) == ("364.000", "182.000")
    assert (steps["Used / profile"], steps["Profile over the days missing"]) == ("2", "155.000")
    assert steps["Base x days + scalar x profile"] == "310.000"


def test_an_estimate_by_degree_days(tmp_path: Path) -> None:
    # 4 MJ a day, 0.01 of a zone's 1,000 MJ a day, and 3 MJ a degree-day on 31 days of 2: 124 + 310 + 186 MJ.
    gas = ("7", "site-7", "M1", "11", "PRIMARY", "BASIC", 1, "DEGREE_DAYS", Decimal("0.01"), Decimal(4), *[None] * 9,
           False, False, False, *OCTOBER, "VIC|ZONE", Decimal(3))  # fmt: skip
    zone = [("VIC|ZONE", date(2026, 10, n), Decimal(1000), Decimal(2)) for n in range(1, 32)]
    run = dataclasses.replace(_run(), evidence={"scalars": [gas], "basic_reads": READS, "profiles": zone})
    found = explain.of_folder(write(run, tmp_path / "gas"), "7")
    steps = {name: value for name, value, _ in _table(found, "estimate_1").rows}
    assert (steps["Degree slope"], steps["Degree-days missing"]) == ("3.00000", "62.000")
    assert steps["Base x days + scalar x profile + slope x degree-days"] == "620.000"


def test_a_meter_on_which_no_day_is_estimated_says_so(folder: Path) -> None:
    table = _table(explain.of_folder(folder, "7"), "estimate_2")
    assert table.title.endswith("meter M2, register 11: not used, no day of this meter is estimated")
    assert "Base x days + scalar x profile" not in {row[0] for row in table.rows}


def test_every_line_to_the_cent(folder: Path) -> None:
    lines = _table(explain.of_folder(folder, "7"), "rated")
    supply, usage = lines.rows
    # quantity, rate, quantity x rate, rounding, gross, expected discount, net, GST
    assert supply[6:] == (
        Decimal(31),
        "1",
        Decimal("31.0000"),
        Decimal("0.0000"),
        *map(Decimal, ("31.00", "0.00", "31.00", "3.10")),
    )
    assert usage[6:] == (
        Decimal(310),
        "0.3",
        Decimal("93.0000"),
        Decimal("0.0000"),
        *map(Decimal, ("93.00", "3.72", "89.28", "8.99")),
    )


def test_it_adds_up_to_the_exported_row(folder: Path) -> None:
    sums = _table(explain.of_folder(folder, "7"), "sums")
    assert [(name, str(one), str(difference)) for name, one, _, difference in sums.rows] == [
        ("Net $", "120.28", "0.00"), ("GST $", "12.09", "0.00"), ("Expected discount $", "3.72", "0.00"), ("KWH", "310.000", "0.000"),
    ]  # fmt: skip


def test_the_reads_and_the_last_bill(folder: Path) -> None:
    found = explain.of_folder(folder, "7")
    assert "B7, an estimate" in found.lead[0]
    assert "$108.00" in found.lead[0]
    assert "CATCH_UP, ESTIMATED_BILL" in found.lead[1]
    reads = _table(found, "index_reads").rows
    assert [(row[4], row[7], row[8]) for row in reads] == [
        ("the meter", None, None), ("the meter", Decimal(364), 91), ("this run", Decimal(310), 31),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        (
            {
                "units_low_80": "279.000",
                "units_high_80": "1341.000",
                "units_low_95": "248.000",
                "units_high_95": "1372.000",
            },
            "Of its units 310.000 KWH are estimated: with 80 % probability 279.000 to 1,341.000, with 95 % probability 248.000 to 1,372.000.",
        ),
        (
            {"units_low_80": "279.000", "units_high_80": "341.000"},  # too few registers for 95 %
            "Of its units 310.000 KWH are estimated: with 80 % probability 279.000 to 341.000.",
        ),
        (
            {"no_band": "A giant is like no other register"},
            "How far the estimate may be off cannot be said. A giant is like no other register.",
        ),
    ],
)
def test_how_sure_the_estimate_is(tmp_path: Path, summary: dict[str, str], said: str) -> None:
    run = _run()
    seven = dataclasses.replace(run.accounts[-2], summary=summary)
    run = dataclasses.replace(run, accounts=(*run.accounts[:-2], seven, run.accounts[-1]))
    assert explain.of_folder(write(run, tmp_path / "sure"), "7").lead[-1] == said


def test_an_account_that_is_fully_billed_says_so(folder: Path) -> None:
    found = explain.of_folder(folder, "8")
    assert found.lead[-1].startswith("It is fully billed")
    assert [table.key for table in found.tables] == ["spans"]


def test_an_account_that_is_not_in_the_run_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match=r"account 999 is not in the run of 2026-11-01"):
        explain.of_folder(folder, "999")


def test_days_that_are_read_in_part_and_estimates_that_were_delivered(tmp_path: Path) -> None:
    """Half of a profile of 10 a day: 5 kWh a day, 1.25 of it on the 12 missing half-hours of the 30th; 0.75 were delivered."""
    first, last = date(2026, 10, 30), date(2026, 10, 31)
    scalar = ("9", "site-9", "M9", "E1", "PRIMARY", "INTERVAL", 1, "RECENT_DAYS", Decimal("0.5"), Decimal(0), Decimal(5), date(2026, 10, 1),
              date(2026, 10, 28), 28, Decimal(140), Decimal(280), None, None, None, False, False, False, first, last, "NSW|RES|PRIMARY",
              Decimal(0))  # fmt: skip
    evidence = {
        "scalars": [scalar], "profiles": [("NSW|RES|PRIMARY", one, Decimal(10), None) for one in (first, last)],
        "estimated_days": [
            ("9", "M9", "E1", "PRIMARY", "BUA", 1, first, 12, Decimal(5), Decimal("1.25"), Decimal(0)),
            ("9", "M9", "E1", "PRIMARY", "BUA", 1, last, 48, Decimal(5), Decimal(5), Decimal(0)),
            ("9", "M9", "E1", "PRIMARY", "PLATFORM", None, date(2026, 10, 29), None, None, Decimal(0), Decimal("0.75")),
        ],
    }  # fmt: skip
    lines = [
        Line("9", number, on, on, "1.00", quantity, state="ESTIMATED", rate="0.20")
        for number, (on, quantity) in enumerate(((date(2026, 10, 29), "0.75"), (first, "1.25"), (last, "5")), 1)
    ]
    run = dataclasses.replace(
        SECOND, accounts=(*SECOND.accounts, Account("9")), spans=(*SECOND.spans, Span("9", *OCTOBER, "ACCRUED", "NOT_DUE", "WITHIN")),
        lines=(*SECOND.lines, *lines), evidence=evidence,
    )  # fmt: skip
    found = explain.of_folder(write(run, tmp_path / "parts"), "9")
    steps = {name: value for name, value, _ in _table(found, "estimate_1").rows}
    assert (steps["Days missing"], steps["Half-hours missing"]) == (2, 60)
    assert (steps["Profile over the days missing"], steps["Base x days + scalar x profile"]) == ("20.000", "10.000")
    assert steps["Estimate of these half-hours"] == "6.250"
    # Ten, less 3.75 that was read, and 0.75 that was delivered, make the seven that the lines have.
    assert [tuple(map(str, row)) for row in _table(found, "reconciled").rows] == [
        ("PRIMARY", "10.000", "-3.750", "0.750", "0.000", "7.000")
    ]


def test_a_missing_day_without_a_profile_has_the_mean_of_the_reference_window(tmp_path: Path) -> None:
    """The profile ends on the 21st, 5 a day; ten days have 182 / 91 = 2 each. 2 x (105 + 20) = 250 kWh."""
    profile = [("NSW|RES|PRIMARY", date(2026, 10, n), Decimal(5), None) for n in range(1, 22)]
    run = dataclasses.replace(_run(), evidence={**_run().evidence, "profiles": profile})
    steps = {
        name: value
        for name, value, _ in _table(explain.of_folder(write(run, tmp_path / "short"), "7"), "estimate_1").rows
    }
    assert (steps["Profile over the days missing"], steps["In place of a profile on the other days"]) == (
        "105.000",
        "20.000",
    )
    assert steps["Base x days + scalar x profile"] == "250.000"


def test_a_meter_without_a_profile_has_its_own_mean_day(tmp_path: Path) -> None:
    """31 days of 4 kWh."""
    mean = (*SCALAR[:7], "OWN_DAILY_MEAN", None, Decimal(0), Decimal(4), *SCALAR[11:15], None, *SCALAR[16:])
    run = dataclasses.replace(_run(), evidence={"scalars": [mean], "basic_reads": READS})
    steps = {
        name: value
        for name, value, _ in _table(explain.of_folder(write(run, tmp_path / "mean"), "7"), "estimate_1").rows
    }
    assert steps["Own mean days"] == "124.000"
