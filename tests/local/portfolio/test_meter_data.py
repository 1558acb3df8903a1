"""Meter data files of a portfolio are judged against registers.csv before anything is loaded."""

import gzip
import io
import zipfile
from decimal import Decimal

import pytest

from local.portfolio.meter_data import read_meter_data
from local.portfolio.problems import InvalidPortfolio


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


def test_files_of_all_packings_are_read(folder, put):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.csv", file_of(("4103000001", "E1", "KWH", day("20261002"))))
    put("a.csv", file_of(("4103000001", "E1", "KWH", day())))
    put("b.csv.gz", gzip.compress(file_of(("4103000001", "B1", "WH", day())).encode()))
    put("c.zip", packed.getvalue())
    files = read_meter_data(folder.read())
    assert [list(file.totals().items()) for file in files] == [
        [(("4103000001", "E1"), Decimal("24.0"))],
        [(("4103000001", "B1"), Decimal("24.0"))],
        [(("4103000001", "E1"), Decimal("24.0"))],
    ]


def test_reactive_channels_need_no_register(folder, put):
    put("a.csv", file_of(("4103000001", "E1", "KWH", day()), ("4103000001", "Q1", "KVARH", day())))
    assert len(read_meter_data(folder.read())) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            file_of(("4103000002", "E1", "KWH", day())),
            "nem12/a.csv:3: NMI: 4103000002 has no register in registers.csv, add it or remove the file",
        ),
        (
            file_of(("4103000001", "E1", "KWH", day()), ("4103000001", "E2", "KWH", day())),
            "nem12/a.csv:5: NMISuffix: E2 of 4103000001 is not in registers.csv, add the register",
        ),
        (
            file_of(("QAAAVZZZZZ", "11", "KWH", day())),
            "nem12/a.csv:3: NMISuffix: 11 of QAAAVZZZZZ is BASIC in registers.csv, line 5, but here are interval reads of it",
        ),
        (
            file_of(("4103000001", "B1", "KWH", day())),
            "nem12/a.csv:3: UOM: KWH for B1 of 4103000001, but WH in registers.csv, line 4; one of them is wrong",
        ),
    ],
)
def test_files_that_registers_csv_does_not_know_are_refused(folder, put, content, problem):
    put("a.csv", content)
    with pytest.raises(InvalidPortfolio) as refused:
        read_meter_data(folder.read())
    assert [str(each) for each in refused.value.problems] == [problem]


def test_every_file_that_cannot_be_read_is_named_with_its_line(folder, put):
    put("short.csv", file_of(("4103000001", "E1", "KWH", "300,20261001,0.5,0.5,A,,,20261002020000,")))
    put("torn.csv", "100,NEM12,202611010000,MDP,RETAILER\n")
    put("empty.csv.gz", b"")
    with pytest.raises(InvalidPortfolio) as refused:
        read_meter_data(folder.read())
    places = [(problem.file, problem.line) for problem in refused.value.problems]
    assert ("nem12/short.csv", 3) in places
    assert {file for file, _ in places} == {"nem12/short.csv", "nem12/torn.csv", "nem12/empty.csv.gz"}


def test_reads_of_basic_meters_do_not_belong_into_nem12(folder, put):
    record = (
        "250,QAAAVZZZZZ,11,01,11,11,M3,E,00100,20260701000000,A,,,00200,20261001000000,A,,,100,KWH,,20261002020000,"
    )
    put("a.csv", f"100,NEM13,202611010000,MDP,RETAILER\n{record}\n900\n")
    with pytest.raises(InvalidPortfolio, match=r"nem12/a.csv:2: record: NEM13 holds reads of basic meters"):
        read_meter_data(folder.read())
