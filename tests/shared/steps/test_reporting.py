"""The report of a run as a function makes it: from what is kept, beside what is kept, handed over and told."""

import hashlib
import json
from pathlib import Path

import pytest
from moto.backends import get_backend
from tests.cloud import ACCOUNT, ENVIRONMENT, NOW, REGION, RUN_DATE
from tests.lambdas.test_handlers import LambdaContext
from tests.shared.report import two_months

from lambdas.report import handler
from shared.errors import InvalidInput
from shared.steps import actions, reporting

FILES = {"report.html", "report.xlsx", "report.json", "trueup.csv"}
JOURNAL = {"journal.csv", "journal_gst_memo.csv"}


def keep(context, folder: Path, run_date: str, attempt: int) -> str:
    """Put a run's folder where its export keeps it, and name it as the latest; the hash of its control.json."""
    s3, bucket = context.client("s3"), context.settings.bucket
    for path in (path for path in folder.rglob("*") if path.is_file()):
        s3.upload_file(str(path), bucket, f"export/booked/{run_date}/{attempt:02d}/{path.relative_to(folder)}")
    sha256 = hashlib.sha256((folder / "control.json").read_bytes()).hexdigest()
    latest = json.dumps({"attempt": attempt, "sha256": sha256})
    s3.put_object(Bucket=bucket, Key=f"export/booked/{run_date}/latest.json", Body=latest.encode())
    return sha256


def name_previous(folder: Path, previous: object) -> None:
    """Let a run's control totals name the run before."""
    control = json.loads((folder / "control.json").read_text())
    (folder / "control.json").write_text(json.dumps(control | {"previous_run": previous}))


@pytest.fixture
def months(context, tmp_path):
    """October and November, kept; October was run again since, and its first attempt is what November was compared with."""
    context.client("sns").create_topic(Name="tst-anstead-sns-bua-report")
    october, november = two_months.write_both(tmp_path / "months")
    name_previous(october, "none")
    first = keep(context, october, "2026-10-01", 1)
    name_previous(october, "none, again")
    keep(context, october, "2026-10-01", 2)
    name_previous(november, {"run_date": "2026-10-01", "sha256": first})
    keep(context, november, "2026-11-01", 3)
    return october, november


def make(context, place: Path, run_date=RUN_DATE) -> dict[str, object]:
    place.mkdir(exist_ok=True)
    return reporting.report(context.settings, context.client, run_date, NOW, place)


def told() -> list[tuple[str, str]]:
    """Subjects and texts of what was published."""
    sent = (
        get_backend("sns")[ACCOUNT][REGION]
        .topics[f"arn:aws:sns:{REGION}:{ACCOUNT}:tst-anstead-sns-bua-report"]
        .sent_notifications
    )
    return [(subject, message) for _, message, subject, *_ in sent]


def keys(context, bucket: str, prefix: str) -> set[str]:
    found = context.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {entry["Key"].removeprefix(prefix) for entry in found}


def test_it_is_put_beside_the_files_and_handed_over(context, months, tmp_path):
    made = make(context, tmp_path / "place")
    files = FILES | JOURNAL if made["may_post"] else FILES
    assert made["folder"] == "export/booked/2026-11-01/03/"
    assert keys(context, context.settings.bucket, "export/booked/2026-11-01/03/") >= files | {"control.json"}
    assert keys(context, context.settings.integration_bucket, "ADH/OUTBOUND/BUA/") == files
    where = {"Bucket": context.settings.bucket, "Key": "export/booked/2026-11-01/03/report.xlsx"}
    assert context.client("s3").head_object(**where)["ObjectLockMode"] == "GOVERNANCE"


def test_it_compares_with_the_files_that_the_control_totals_name(context, months, tmp_path):
    """Not with October's second attempt, which came later."""
    make(context, tmp_path / "place")
    assert json.loads((tmp_path / "place" / "before" / "control.json").read_text())["previous_run"] == "none"


def test_the_first_run_has_none_before(context, months, tmp_path):
    october = two_months.FIRST.run_date
    make(context, tmp_path / "place", october)
    assert not (tmp_path / "place" / "before").exists()


def test_finance_is_told_the_headline_and_where_and_no_customers_data(context, months, tmp_path):
    made = make(context, tmp_path / "place")
    ((subject, message),) = told()
    state = "to be signed" if made["may_post"] else "NOT to be posted"
    assert subject == f"Accrued revenue to 2026-10-31: {state}"
    assert str(made["headline"]) in message
    assert (
        "https://ap-southeast-2.console.aws.amazon.com/s3/object/tst-anstead-s3-bua"
        "?region=ap-southeast-2&prefix=export/booked/2026-11-01/03/report.html" in message
    )
    assert "S-" not in message  # a site
    assert set(json.loads((tmp_path / "place" / "report" / "report.json").read_text())) == {
        "period",
        "headline",
        "may_post",
        "figures",
    }


def test_finances_own_parameters_count(context, months, tmp_path):
    where = {"Bucket": context.settings.bucket, "Key": "finance/finance.yaml"}
    context.client("s3").put_object(**where, Body=b"materiality: wrong")
    with pytest.raises(InvalidInput, match=r"finance\.yaml"):
        make(context, tmp_path / "place")


def test_the_files_of_the_run_before_have_to_be_those(context, months, tmp_path):
    body = b'{"run_date": "2026-10-01"}'
    context.client("s3").put_object(
        Bucket=context.settings.bucket, Key="export/booked/2026-10-01/01/control.json", Body=body
    )
    with pytest.raises(InvalidInput, match="the files of the run before, 2026-10-01, are no longer kept"):
        make(context, tmp_path / "place")
    assert told() == []


def test_a_run_that_is_not_kept_has_no_report(context, tmp_path):
    with pytest.raises(InvalidInput, match="no complete export of 2026-11-01 is kept"):
        make(context, tmp_path / "place")


def test_the_function_takes_the_run_date_and_leaves_nothing_behind(context, months, monkeypatch, tmp_path):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "disk"))
    (tmp_path / "disk").mkdir()
    assert (
        handler.lambda_handler({"run_date": "2026-11-01"}, LambdaContext())["folder"] == "export/booked/2026-11-01/03/"
    )
    assert list((tmp_path / "disk").glob("*/now")) == []


def test_without_a_report_finance_is_told_that_the_files_are_there(context):
    context.client("sns").create_topic(Name="tst-anstead-sns-bua-report")
    cause = json.dumps({"errorType": "MemoryError", "errorMessage": "too much"})
    event = {"action": "export.report_failed", "run_date": "2026-11-01", "error": "Lambda.Unknown", "cause": cause}
    assert actions.perform(context, event) == {"error": "MemoryError", "cause": "too much"}
    ((subject, message),) = told()
    assert subject == "Accrued revenue, run of 2026-11-01: files without a report"
    assert "are complete: s3://tst-anstead-s3-rw-integration/ADH/OUTBOUND/BUA/" in message
    assert "MemoryError: too much" in message
