"""Meter data files of a portfolio are judged against registers.csv before anything is loaded."""

import gzip
import io
import zipfile
from datetime import date

import pytest

from local.portfolio.format import read_portfolio
from local.portfolio.problems import InvalidPortfolio
from shared.metering.interval_store import decode_items

RUN_DATE = date(2026, 11, 1)


def day(date="20261001", quality="A"):
    return f"300,{date}," + "0.5," * 48 + f"{quality},,,20261002020000,"


def file_of(*streams, header="100,NEM12,202611010000,MDP,RETAILER"):
    """streams: (NMI, suffix, unit, 300 record)."""
    lines = [header]
    for nmi, suffix, unit, record in streams:
        lines += [f"200,{nmi},E1B1,{suffix},{suffix},N1,M2,{unit},30,", record]
    return "\n".join([*lines, "900", ""])


@pytest.fixture
def put(folder):
    """Write a file into nem12/ and read the folder with its meter data."""

    def write(name, content):
        path = folder.path / "nem12" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def micro_kwh(portfolio):
    """Sum each channel of what is ready for the store."""
    days = decode_items(portfolio.meter_data.items)
    totals = {}
    for suffix, total in zip(days.suffixes, days.totals.tolist(), strict=True):
        totals[suffix] = totals.get(suffix, 0) + total
    return totals


def test_files_of_all_packings_are_read_in_the_order_of_their_names(folder, put):
    """48 x 0.5 kWh twice, 48 x 0.5 Wh once."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.csv", file_of(("4103000001", "E1", "KWH", day("20261002"))))
    put("c.ZIP", packed.getvalue())
    put("b.csv.gz", gzip.compress(file_of(("4103000001", "B1", "WH", day())).encode()))
    put("a.csv", file_of(("4103000001", "E1", "KWH", day())))
    seen = []
    portfolio = read_portfolio(folder.path, RUN_DATE, lambda paths: seen.extend(paths) or paths)
    assert micro_kwh(portfolio) == {"E1": 48_000_000, "B1": 24_000}
    assert [path.name for path in seen] == ["a.csv", "b.csv.gz", "c.ZIP"]


@pytest.mark.parametrize(
    ("suffix", "unit"),
    [
        ("Q1", "KVARH"),
        ("K1", "KVARH"),
        ("J1", "VARH"),
        ("S1", "KVAH"),
        ("V1", "V"),
        ("G1", "PF"),
        ("W1", "A"),
        ("E9", "KW"),
    ],
)
def test_channels_that_are_not_energy_are_passed_over_by_their_unit(folder, put, suffix, unit):
    put("a.csv", file_of(("4103000001", "E1", "KWH", day()), ("4103000001", suffix, unit, "300,20261001,-0.9,A")))
    portfolio = folder.read()
    assert micro_kwh(portfolio) == {"E1": 24_000_000}
    assert portfolio.meter_data.passed_over == {unit: 1}


@pytest.mark.parametrize(("unit", "value"), [("WH", "500"), ("kwh", "0.5"), ("MWh", "0.000500000")])
@pytest.mark.parametrize("registered", ["KWH", "wh", "MWH"])
def test_units_of_energy_convert_whatever_registers_csv_says(folder, put, unit, value, registered):
    folder.replace("registers.csv", "M2,E1,E1,PRIMARY,INTERVAL,KWH", f"M2,E1,e1,PRIMARY,INTERVAL,{registered}")
    put("a.csv", file_of(("4103000001", "e1", unit, day().replace("0.5", value))))
    assert micro_kwh(folder.read()) == {"E1": 24_000_000}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            file_of(("4103000002", "E1", "KWH", day())),
            "nem12/a.csv:3: NMI: 4103000002 has no register in registers.csv, add it or remove the file",
        ),
        (
            file_of(("4103000001", "E1", "KWH", day()), ("4103000001", "E2", "KWH", day())),
            "nem12/a.csv:5: NMISuffix: E2 of 4103000001 is not in registers.csv, add the register, or remove the channel from the file if it is a check meter's",
        ),
        (
            file_of(("QAAAVZZZZZ", "11", "KWH", day())),
            "nem12/a.csv:3: NMISuffix: 11 of QAAAVZZZZZ is BASIC in registers.csv, line 5, but here are interval reads of it",
        ),
        (
            file_of(("4103000001", "B1", "KVARH", day())),
            "nem12/a.csv:2: UOM: KVARH for B1 of 4103000001 is not energy, but registers.csv has it, line 4; one of them is wrong",
        ),
    ],
)
def test_files_that_registers_csv_does_not_know_are_refused(folder, put, content, problem):
    put("a.csv", content)
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    assert [str(each) for each in refused.value.problems] == [problem]


def test_every_file_that_cannot_be_read_is_named_with_its_line(folder, put):
    put("short.csv", file_of(("4103000001", "E1", "KWH", "300,20261001,0.5,0.5,A,,,20261002020000,")))
    put("torn.csv", "100,NEM12,202611010000,MDP,RETAILER\n")
    put("empty.csv.gz", b"")
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    places = [(problem.file, problem.line) for problem in refused.value.problems]
    assert ("nem12/short.csv", 3) in places
    assert {file for file, _ in places} == {"nem12/short.csv", "nem12/torn.csv", "nem12/empty.csv.gz"}


def test_reads_of_basic_meters_do_not_belong_into_nem12(folder, put):
    record = (
        "250,QAAAVZZZZZ,11,01,11,11,M3,E,00100,20260701000000,A,,,00200,20261001000000,A,,,100,KWH,,20261002020000,"
    )
    put("a.csv", f"100,NEM13,202611010000,MDP,RETAILER\n{record}\n900\n")
    with pytest.raises(InvalidPortfolio, match=r"nem12/a.csv:2: record: NEM13 holds reads of basic meters"):
        folder.read()


def test_problems_of_csv_files_and_of_meter_data_files_are_listed_together(folder, put):
    """A row that cannot be read, a rule between other rows, a value, and two files that contradict each other."""
    folder.replace("accounts.csv", "A1,ELECTRICITY", "A1,STEAM")
    folder.replace("gas_volumes.csv", "2026-10-02", "2026-10-01")
    put("a.csv", file_of(("4103000001", "E1", "KWH", day())))
    put("b.csv", file_of(("4103000001", "E1", "KWH", day().replace("0.5", "0.6"))))
    put("c.csv", file_of(("4103000001", "B1", "WH", day().replace("0.5", "half", 1))))
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    assert [str(problem) for problem in refused.value.problems] == [
        "accounts.csv:2: fuel: 'STEAM' is not known, use one of ELECTRICITY, GAS",
        "gas_volumes.csv:3: date: 2026-10-01 of VIC ZONE stands on line 2 already",
        "nem12/b.csv:3: record: NMI 4103000001 suffix E1 on 2026-10-01 has other reads in a.csv:3, with the same update time: remove one, or give the right one a newer UpdateDateTime",
        "nem12/c.csv:3: record: value 'half' of interval 1 is not a plain number of 0 or more",
    ]


def test_a_newer_update_settles_what_two_older_files_contradict(folder, put):
    put("a.csv", file_of(("4103000001", "E1", "KWH", day())))
    put("b.csv", file_of(("4103000001", "E1", "KWH", day().replace("0.5", "0.6"))))
    put("c.csv", file_of(("4103000001", "E1", "KWH", day().replace("0.5", "0.25").replace("20261002", "20261003"))))
    assert micro_kwh(folder.read()) == {"E1": 12_000_000}


def test_the_same_reads_in_another_unit_are_no_contradiction(folder, put):
    put("a.csv", file_of(("4103000001", "E1", "KWH", day())))
    put("b.csv", file_of(("4103000001", "E1", "WH", day().replace("0.5", "500"))))
    assert micro_kwh(folder.read()) == {"E1": 24_000_000}


def test_interval_registers_without_any_reads_are_remarked(folder, put):
    put("a.csv", file_of(("4103000001", "E1", "KWH", day())))
    assert folder.read().remarks == [
        "registers.csv: 1 INTERVAL register(s) have no reads in nem12/, first B1 of 4103000001, line 4"
    ]
