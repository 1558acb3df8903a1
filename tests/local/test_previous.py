"""The OUT of an earlier month as the run before: refused before anything starts, or put where a run looks for it."""

import hashlib
import json
from datetime import date

import pytest

from local import previous, run
from shared.errors import InvalidInput

RUN_DATE = date(2026, 11, 1)


@pytest.fixture
def out(tmp_path):
    """The exports of October, beside files that are none."""
    place = tmp_path / "october"
    (place / "evidence").mkdir(parents=True)
    content = {"summary.csv": b"a,b\n1,2\n", "evidence/part.parquet": b"PAR1"}
    for name, body in content.items():
        (place / name).write_bytes(body)
    files = {name: {"rows": 1, "sha256": hashlib.sha256(body).hexdigest()} for name, body in content.items()}
    (place / "control.json").write_text(json.dumps({"run_date": "2026-10-01", "files": files}))
    (place / "report.md").write_text("not exported")
    return place


def test_the_files_that_its_control_totals_list_are_put_where_the_run_left_them(out, context):
    previous.put(context.client("s3"), previous.read(out, RUN_DATE))
    found = context.client("s3").list_objects_v2(Bucket=context.settings.bucket)["Contents"]
    assert [entry["Key"] for entry in found] == [
        "export/booked/2026-10-01/01/control.json",
        "export/booked/2026-10-01/01/evidence/part.parquet",
        "export/booked/2026-10-01/01/summary.csv",
        "export/booked/2026-10-01/latest.json",
    ]


def test_the_true_ups_of_the_runs_before_come_along(out, context):
    (out / "trueup.csv").write_bytes(b"run_date\n")
    previous.put(context.client("s3"), previous.read(out, RUN_DATE))
    found = context.client("s3").get_object(
        Bucket=context.settings.bucket, Key="export/booked/2026-10-01/01/trueup.csv"
    )
    assert found["Body"].read() == b"run_date\n"


@pytest.mark.parametrize("run_date", ["2026-10-01", "2026-09-01"])
def test_a_run_that_is_not_earlier_is_refused(out, run_date):
    with pytest.raises(InvalidInput, match=rf"is the run of 2026-10-01, which is not before that of {run_date}"):
        previous.read(out, date.fromisoformat(run_date))


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"run_date": "soon", "files": {}}', '{"run_date": "2026-10-01", "files": [1]}']
)
def test_a_folder_with_another_control_file_is_refused(out, body):
    (out / "control.json").write_text(body)
    with pytest.raises(InvalidInput, match=r"is not the OUT of a run: its control\.json is not a run's"):
        previous.read(out, RUN_DATE)


def test_a_file_that_was_changed_or_lost_is_named(out):
    (out / "summary.csv").write_bytes(b"a,b\n1,3\n")
    (out / "evidence" / "part.parquet").unlink()
    with pytest.raises(InvalidInput, match=r"evidence/part\.parquet, summary\.csv is not the file"):
        previous.read(out, RUN_DATE)


def test_a_run_refuses_it_before_anything_starts(tmp_path, capsys):
    place = tmp_path / "nothing"
    assert run.main(["--previous", str(place), "--out", str(tmp_path / "out")]) == 1
    assert "is not the OUT of a run: it has no control.json (No such file or directory)" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
