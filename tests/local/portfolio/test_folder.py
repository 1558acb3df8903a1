"""What lies in a portfolio folder besides its files: refused with what to do, or passed over with a remark."""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from local.portfolio.format import read_portfolio
from local.portfolio.problems import InvalidPortfolio

SOUND = Path(__file__).parents[2] / "data" / "portfolio"
RUN_DATE = date(2026, 11, 1)
READS = (
    f"100,NEM12,202611010000,MDP9,RETAILY\n200,4103000001,E1,1,E1,N1,M2,KWH,30,\n"
    f"300,20261015,{'0.25,' * 48}A,,,20261101010000,\n900\n"
)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "portfolio"
    shutil.copytree(SOUND, path)
    (path / "nem12").mkdir()
    (path / "nem12" / "reads.csv").write_text(READS)
    return path


def problems_of(folder):
    with pytest.raises(InvalidPortfolio) as refused:
        read_portfolio(folder, RUN_DATE)
    return [str(problem) for problem in refused.value.problems]


def capitals(folder):
    (folder / "nem12").rename(folder / "NEM12")


def a_file(folder):
    shutil.rmtree(folder / "nem12")
    (folder / "nem12").write_text(READS)


def a_link_to_nothing(folder):
    shutil.rmtree(folder / "nem12")
    (folder / "nem12").symlink_to("nowhere")


ELSEWHERE = "is not part of a portfolio; meter data files go into nem12/, other files are not packed"
UNKNOWN = (
    "is not part of a portfolio (accounts.csv, registers.csv, plans.csv, time_classes.csv, invoices.csv, invoice_lines.csv, "
    "basic_reads.csv, gas_volumes.csv, account_plans.csv, public_holidays.csv, temperatures.csv), remove it or correct its name"
)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (capitals, "NEM12: file: is not written as nem12, rename it"),
        (a_file, "nem12: folder: is no folder, make it one and put the meter data files into it"),
        (a_link_to_nothing, "nem12: folder: is no folder, make it one and put the meter data files into it"),
        (lambda f: (f / "accounts.csv").rename(f / "Accounts.CSV"), "Accounts.CSV: file: is not written as accounts.csv, rename it"),
        (lambda f: (f / "nem12.zip").write_bytes(b""), f"nem12.zip: file: {ELSEWHERE}"),
        (lambda f: (f / "nem12 reads.csv").write_text(READS), f"nem12 reads.csv: file: {ELSEWHERE}"),
        (lambda f: (f / "all.7z").write_bytes(b""), f"all.7z: file: {ELSEWHERE}"),
        (lambda f: (f / "public_holiday.csv").write_bytes(b""), f"public_holiday.csv: file: {UNKNOWN}"),
        (lambda f: (f / "accounts.xlsx").write_bytes(b""), f"accounts.xlsx: file: {UNKNOWN}"),
        (lambda f: (f / "meter data").mkdir(), "meter data: folder: is not part of a portfolio, remove it; meter data files go into nem12/"),
        (lambda f: (f / "nem12/october.csv").mkdir(), "nem12/october.csv: file: is a folder, put its files into nem12/ itself"),
        (lambda f: (f / "nem12/2026").mkdir(), "nem12/2026: file: is a folder, put its files into nem12/ itself"),
        (lambda f: (f / "nem12/x.csv").symlink_to("nowhere"), "nem12/x.csv: file: leads to nothing that can be read, put the file itself there"),
        (lambda f: (f / "nem12/x.csv").symlink_to("x.csv"), "nem12/x.csv: file: leads to nothing that can be read, put the file itself there"),
        (lambda f: os.mkfifo(f / "nem12/x.csv"), "nem12/x.csv: file: leads to nothing that can be read, put the file itself there"),
        (lambda f: (f / "nem12/x.csv").symlink_to("/proc/self/mem"), "nem12/x.csv: file: cannot be read (Input/output error), see to its permissions or copy it anew"),
        (lambda f: (f / "nem12/x.xlsx").write_bytes(b""), "nem12/x.xlsx: file: is no .csv, .csv.gz or .zip, remove it, or rename it if it is one"),
        (lambda f: (f / "nem12/x.txt").write_text(READS), "nem12/x.txt: file: is no .csv, .csv.gz or .zip, remove it, or rename it if it is one"),
        (lambda f: (f / "nem12/a\nb\udcff.csv").write_bytes(b""), "nem12/a\\nb\\udcff.csv:1: record: the file is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_part_of_a_portfolio_is_reported_with_what_to_do(folder, change, problem):
    change(folder)
    assert problems_of(folder) == [problem]


@pytest.mark.parametrize("replace", [lambda path: path.mkdir(), lambda path: path.symlink_to("nowhere"), os.mkfifo])
def test_a_csv_file_that_is_none(folder, replace):
    (folder / "plans.csv").unlink()
    replace(folder / "plans.csv")
    (problem,) = problems_of(folder)
    assert problem.startswith("plans.csv: file: ")


def test_what_does_no_harm_is_passed_over_with_a_remark(folder):
    for name in (
        "README.txt",
        ".git",
        "._accounts.csv",
        ".DS_Store",
        "Thumbs.db",
        "nem12/desktop.ini",
        "nem12/readme.md",
        "nem12/.part",
    ):
        (folder / name).write_bytes(b"\x00\x05\x16\x07")
    (folder / "__MACOSX").mkdir()
    portfolio = read_portfolio(folder, RUN_DATE)
    assert len(portfolio.meter_data.items) == 1
    assert portfolio.remarks[:4] == [
        ".git: is hidden, passed over",
        "README.txt: is not part of a portfolio, passed over",
        "nem12/.part: is hidden, passed over",
        "nem12/readme.md: holds no meter data, passed over",
    ]


def test_a_name_that_is_too_long_is_no_folder():
    with pytest.raises(InvalidPortfolio, match="does not exist"):
        read_portfolio(Path("x" * 5000), RUN_DATE)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("jurisdiction;node;date;volume_mj\nVIC;ZONE;2026-10-01;5\n", "gas_volumes.csv:1: header: its columns are parted by ';', save the file with commas"),
        ("jurisdiction\tnode\n", "gas_volumes.csv:1: header: its columns are parted by '\\t', save the file with commas"),
        ('jurisdiction,node,date,volume_mj\nVIC,"ZONE,2026-10-01,5\n', "gas_volumes.csv:2: row: is no CSV (unexpected end of data), check its quotes"),
        ("jurisdiction,node,date,volume_mj\nVIC," + "x" * 140_000 + ",2026-10-01,5\n", "gas_volumes.csv:2: row: is no CSV (field larger than field limit (131072)), check its quotes"),
        ("jurisdiction,node,date,volume_mj\nVIC,ZO\x00NE,2026-10-01,5\n", "gas_volumes.csv:2: encoding: is not UTF-8, save the file as CSV UTF-8"),
        ("jurisdiction,node,date,volume_mj\nVIC,ZO\ufeffNE,2026-10-01,5\n", "gas_volumes.csv:2: node: 'ZO\\ufeffNE' has a control character in it, U+FEFF: remove it"),
        ("jurisdiction,node,date,volume_mj\nVIC,ZONE\x1f,2026-10-01,5\n", "gas_volumes.csv:2: node: 'ZONE\\x1f' has a control character in it, U+001F: remove it"),
    ],
)  # fmt: skip
def test_tables_that_programs_spoil(folder, content, problem):
    (folder / "gas_volumes.csv").write_text(content, encoding="utf-8")
    assert problems_of(folder) == [problem]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_named(folder, encoding):
    for name in ("plans.csv", "nem12/reads.csv"):
        (folder / name).write_bytes((folder / name).read_text().encode(encoding))
    meter_data, plans = problems_of(folder)
    assert meter_data.startswith("nem12/reads.csv:1: record: not text: it has a NUL character")
    assert plans == "plans.csv:1: encoding: is not UTF-8, save the file as CSV UTF-8"


def test_old_line_ends_capitals_and_wide_spaces_are_taken(folder):
    (folder / "gas_volumes.csv").write_bytes(
        "Jurisdiction, NODE ,date,volume_mj\r vic ,\u00a0ZONE\u3000,2026-10-01,\t5\r".encode()
    )
    (volume,) = read_portfolio(folder, RUN_DATE).gas_volumes
    assert (volume.line, volume.jurisdiction, volume.node, volume.volume_mj) == (2, "VIC", "ZONE", 5)
