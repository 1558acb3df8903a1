"""`make check-portfolio`, and that a run refuses the same portfolios before it starts anything."""

import shutil
from pathlib import Path

import pytest

from local import run
from local.portfolio import check

SOUND = Path(__file__).parents[2] / "data" / "portfolio"
CHANNEL = "200,4103000001,E1,1,{suffix},N1,M2,{unit},30,\n300,2026101{day},{values}A,,,20261101010000,\n"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "portfolio"
    shutil.copytree(SOUND, path)
    (path / "nem12").mkdir()
    channels = [("E1", "KWH", 5), ("E1", "KWH", 7), ("V1", "V", 5)]
    text = "".join(CHANNEL.format(suffix=s, unit=u, day=d, values="0.25," * 48) for s, u, d in channels)
    (path / "nem12" / "reads.csv").write_text(f"100,NEM12,202611010000,MDP9,RETAILY\n{text}900\n")
    return path


def checked(folder, capsys, *more):
    status = check.main(["--portfolio", str(folder), "--run-date", "2026-11-01", *more])
    return status, capsys.readouterr().out


def test_it_says_what_a_portfolio_holds(folder, capsys):
    status, output = checked(folder, capsys)
    cells = [tuple(cell.strip() for cell in line.split("│")[1:-1]) for line in output.splitlines() if "│" in line]
    assert cells == [
        ("accounts", "4", "electricity RES 3, gas BUS 1"),
        ("registers", "6", "basic CONTROL 1, basic PRIMARY 2, interval PRIMARY 2, interval SOLAR 1"),
        ("plans", "3", "11 prices"),
        ("invoices", "4", "4 lines"),
        ("basic reads", "6", "2026-03-17 to 2026-09-15"),
        ("days of interval data", "2", "2026-10-15 to 2026-10-17, 1 channels in 1 files"),
        ("channels passed over", "1", "not energy: V 1"),
        ("gas volumes", "2", "2026-10-01 to 2026-10-02"),
        ("temperatures", "0", ""),
    ]
    assert (
        "note registers.csv: 1 INTERVAL register(s) have no reads in nem12/, first B1 of 4103000001, line 4" in output
    )
    assert status == 0


def test_it_lists_the_problems_as_they_are_written(folder, capsys):
    """What looks like a style to the terminal's library is text."""
    (folder / "gas_volumes.csv").write_text("jurisdiction,node,date,volume_mj\nVIC,ZONE,2026-10-01,[/red]\n")
    (folder / "nem12" / "[bold]\n.csv").write_bytes(b"")
    status, output = checked(folder, capsys)
    assert output.splitlines() == [
        "InvalidPortfolio: 2 problem(s) in the portfolio, nothing was loaded:",
        "gas_volumes.csv:2: volume_mj: '[/red]' is no plain decimal number, write it like 1234.567",
        "nem12/[bold]\\n.csv:1: record: the file is empty",
    ]
    assert status == 1


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "2026-02-30", "20261101", "2026-W44-7", "today"])
@pytest.mark.parametrize("main", [check.main, run.main])
def test_a_run_date_is_a_date_of_our_time(main, text, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--portfolio", "anywhere", "--run-date", text])
    assert stopped.value.code == 2
    assert f"argument --run-date: {text!r} is no date" in (error := capsys.readouterr().err) or f"{text} is" in error


class TestRun:
    @pytest.fixture(autouse=True)
    def nothing_starts(self, monkeypatch):
        def started(*_):
            pytest.fail("something was started")

        monkeypatch.setattr(run, "LocalStack", started)
        monkeypatch.setattr(run.zips, "build", started)

    def test_a_portfolio_with_problems_is_refused_before_anything_is_started(self, folder, tmp_path, capsys):
        (folder / "nem12" / "torn.zip").write_bytes(b"PK\x03\x04")
        (folder / "plans.csv").write_text("plan_code\n")
        assert run.main(["--portfolio", str(folder), "--out", str(tmp_path / "out")]) == 1
        output = capsys.readouterr().out
        assert "nem12/torn.zip: file: cannot be decompressed" in output
        assert "plans.csv:1: rate: column is missing" in output

    def test_a_folder_that_is_not_there(self, tmp_path, capsys):
        assert run.main(["--portfolio", str(tmp_path / "no[/]where"), "--out", str(tmp_path / "out")]) == 1
        assert "does not exist" in capsys.readouterr().out

    def test_a_place_that_cannot_take_the_exports(self, folder, capsys):
        out = folder / "plans.csv"
        assert run.main(["--portfolio", str(folder), "--out", str(out)]) == 1
        assert f"OUT={out} cannot be a folder (File exists), give another" in capsys.readouterr().out
