"""The two functions that write files: meter data of estimated reads, and the exports."""

import csv
import hashlib
import io
import json
from datetime import date
from types import SimpleNamespace

import pytest
from tests.cloud import messages

from shared.aws.s3 import copy_prefix
from shared.errors import ControlTotalsRefused
from shared.steps import actions, control_totals, evidence, export, nem12
from shared.steps.export import EXPORTS
from shared.steps.nem12 import prefix
from shared.work import fanout
from shared.work.messages import FanOut, Work, parse

RUN_DATE = date(2026, 11, 1)


@pytest.fixture
def prepared(run_database, database):
    database.dsn_of = run_database.dsn_of
    return run_database


def execute(database, statement: str):
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        connection.commit()
        return cursor.fetchall() if cursor.description else []


def fan_out(context, run_type: str, function: str) -> list[Work]:
    initiated = FanOut(
        run_date=RUN_DATE, run_type=run_type, step="export", attempt="a", task_token="token",
        max_errors=0, acceptable_error_rate=0,
    )  # fmt: skip
    fanout.initiate(context, initiated)
    return [parse(Work, m["Body"]) for m in messages(context.settings.queue_url(function))]


def read(context, bucket: str, key: str) -> str:
    return context.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()


class TestExport:
    @pytest.fixture
    def exported(self, prepared, context):
        """Two accounts, the second written first."""
        for account in ("B2", "A1"):
            execute(
                prepared,
                f"""insert into bua.account_summary values ('{RUN_DATE}', '{account}', '6305000001', 'ELECTRICITY', 'NSW',
                'RES', 'MASS, MARKET', null, '2026-09-01', '2026-10-31', 61, 'DUE', 'KWH', 10.5, 0, 10.5, 3.20, 0.32, 0,
                'ACTUAL', null, '')""",
            )
        works = fan_out(context, "Export", "site-export")
        assert sorted(item for work in works for item in work.items) == sorted(EXPORTS)
        for work in works:
            export.export(context, work)
        return prepared

    @pytest.mark.usefixtures("exported")
    def test_accounts_are_in_order_with_all_their_columns(self, context):
        text = read(context, context.settings.bucket, "export/csv/2026-11-01/BUAAccountSummary.csv")
        found = list(csv.DictReader(io.StringIO(text)))
        assert [row["account_id"] for row in found] == ["A1", "B2"]
        assert found[0]["journal_segment"] == "MASS, MARKET"
        assert found[0]["last_billed_to"] == ""
        assert (found[0]["units_total"], found[0]["net_amount"]) == ("10.500", "3.20")

    @pytest.mark.usefixtures("exported")
    def test_a_file_without_rows_has_its_header(self, context):
        text = read(context, context.settings.bucket, "export/csv/2026-11-01/exceptions.csv")
        assert text.startswith("run_date,account_id,")
        assert text.count("\n") == 1

    @pytest.mark.usefixtures("exported")
    def test_files_are_handed_over_and_those_of_last_month_are_gone(self, context):
        s3, settings = context.client("s3"), context.settings
        s3.put_object(Bucket=settings.integration_bucket, Key="ADH/OUTBOUND/BUA/left over.csv", Body=b"")
        for action, key, number in (("clear_outbound", "removed", 1), ("copy_outbound", "copied", len(EXPORTS))):
            assert actions.perform(context, {"action": f"export.{action}", "run_date": "2026-11-01"}) == {key: number}
        handed_over = s3.list_objects_v2(Bucket=settings.integration_bucket)["Contents"]
        assert [o["Key"] for o in handed_over] == [f"ADH/OUTBOUND/BUA/{name}.csv" for name in sorted(EXPORTS)]
        assert actions.perform(context, {"action": "export.clear_csv", "run_date": "2026-11-01"}) == {
            "removed": len(EXPORTS)
        }

    def test_keys_of_the_order_are_columns_and_make_it_total(self, prepared):
        """Every table behind an export has a primary key whose columns are sorted by, or is grouped by them."""
        for view, keys in EXPORTS.values():
            found = execute(prepared, f"select column_name from information_schema.columns where table_name = '{view}'")
            assert set(keys) <= {name for (name,) in found}


class TestControl:
    """The control totals: written when everything adds up, and otherwise nothing is handed over."""

    @pytest.fixture
    def exported(self, prepared, context):
        execute(prepared, f"call bua.record_counts('{RUN_DATE}')")
        execute(prepared, f"call bua.create_estimate_bands('{RUN_DATE}')")
        for work in fan_out(context, "Export", "site-export"):
            export.export(context, work)
        for work in [w for w in fan_out(context, "ExportEvidence", "site-export") if w.run_type == "ExportEvidence"]:
            evidence.export(context, work)
        context.ledger.set_run(RUN_DATE, {"snapshot_arn": "arn:snapshot"})
        return prepared

    def control(self, context):
        return actions.perform(context, {"action": "export.control", "run_date": "2026-11-01"})

    @pytest.mark.usefixtures("exported")
    def test_they_say_what_was_exported_from_what(self, context):
        self.control(context)
        text = read(context, context.settings.bucket, "export/csv/2026-11-01/control.json")
        found = json.loads(text)
        assert found["period"] == {"from": "2025-11-01", "to": "2026-10-31", "as_at": "2026-10-31"}
        assert found["snapshot"] == "arn:snapshot"
        assert found["parameters"]["grace_days"] == 10
        body = read(context, context.settings.bucket, "export/csv/2026-11-01/summary.csv").encode()
        assert found["files"]["summary.csv"] == {
            "rows": 0, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest(),
        }  # fmt: skip
        self.control(context)
        assert read(context, context.settings.bucket, "export/csv/2026-11-01/control.json") == text

    @pytest.mark.usefixtures("exported")
    def test_the_first_run_says_that_there_is_none_before(self, context):
        self.control(context)
        text = read(context, context.settings.bucket, "export/csv/2026-11-01/control.json")
        assert json.loads(text)["previous_run"] == "There is no earlier run in the export bucket: this is the first."

    @pytest.mark.usefixtures("exported")
    def test_they_name_the_newest_earlier_run_that_was_completed(self, context):
        """Neither one that stopped half way, nor this run itself, nor a later one, however often it is written."""
        s3, bucket = context.client("s3"), context.settings.bucket
        totals = {"net_amount": "223439.90"}
        for run_date, attempt, is_complete in (
            ("2026-08-01", 1, True), ("2026-09-01", 2, True), ("2026-09-01", 3, True), ("2026-10-01", 1, False), ("2026-12-01", 1, True),
        ):  # fmt: skip
            content = {
                "run_date": run_date,
                "period": {"to": attempt},
                "totals": totals,
                "accounts": {"total": 3},
                "more": 1,
            }
            body = json.dumps(content).encode()
            s3.put_object(Bucket=bucket, Key=f"export/booked/{run_date}/{attempt:02d}/control.json", Body=body)
            if is_complete:
                latest = json.dumps({"attempt": attempt, "sha256": hashlib.sha256(body).hexdigest()})
                s3.put_object(Bucket=bucket, Key=f"export/booked/{run_date}/latest.json", Body=latest)
        texts = []
        for _ in range(2):
            self.control(context)
            texts.append(read(context, bucket, "export/csv/2026-11-01/control.json"))
        assert texts[0] == texts[1]
        before = read(context, bucket, "export/booked/2026-09-01/03/control.json")
        assert json.loads(texts[0])["previous_run"] == {
            "run_date": "2026-09-01", "period": {"to": 3}, "totals": totals, "accounts": {"total": 3},
            "sha256": hashlib.sha256(before.encode()).hexdigest(),
        }  # fmt: skip

    @pytest.mark.usefixtures("exported")
    def test_they_are_handed_over_last(self, context):
        self.control(context)
        copied = []
        s3 = context.client("s3")
        spy = SimpleNamespace(get_paginator=s3.get_paginator, copy=lambda *where: copied.append(where[-1]))
        copy_prefix(spy, (context.settings.bucket, "export/csv/2026-11-01/"), ("to", "out/"), last="control.json")
        written = [f"out/{name}.csv" for name in EXPORTS] + [
            f"out/evidence/{name}/0001.parquet" for name in evidence.TABLES
        ]
        assert copied == [*sorted(written), "out/control.json"]

    @pytest.mark.usefixtures("exported")
    @pytest.mark.parametrize(
        ("body", "reason"),
        [(None, "0 of them, but no file"), (b"run_date\n2026-11-01\n", "0 of them, but 1")],
    )
    def test_a_file_that_is_lost_or_another_is_noticed(self, context, body, reason):
        where = {"Bucket": context.settings.bucket, "Key": "export/csv/2026-11-01/exceptions.csv"}
        if body is None:
            context.client("s3").delete_object(**where)
        else:
            context.client("s3").put_object(**where, Body=body)
        with pytest.raises(ControlTotalsRefused, match=rf"exceptions\.csv has every row \({reason}"):
            self.control(context)

    def test_what_does_not_add_up_is_named_and_nothing_is_written(self, exported, context):
        execute(
            exported, f"delete from bua.row_count where table_name = 'bua.micro_scalar' and run_date = '{RUN_DATE}'"
        )
        with pytest.raises(ControlTotalsRefused, match=r"1 identities.*rest on are there: bua\.micro_scalar"):
            self.control(context)
        with pytest.raises(context.client("s3").exceptions.NoSuchKey):
            read(context, context.settings.bucket, "export/csv/2026-11-01/control.json")

    def test_rows_with_line_ends_and_quotes_in_a_field_are_counted_once(self, context):
        key = "export/csv/2026-11-01/exceptions.csv"
        body = b'a,b\n1,"two\nlines, ""quoted"""\n2,plain\n'
        context.client("s3").put_object(Bucket=context.settings.bucket, Key=key, Body=body)
        assert control_totals.measure(context, RUN_DATE, "exceptions.csv")["rows"] == 2


class TestBooking:
    """What finance may book is kept, attempt by attempt, and nobody replaces it."""

    FILES = ("control.json", "evidence/account_days/0001.parquet", "summary.csv")

    def export(self, context, content: bytes, execution: str) -> dict[str, object]:
        """An attempt at the export that writes the content, and its booking."""
        context.ledger.begin_step("export", RUN_DATE, execution, context.now)
        actions.perform(context, {"action": "export.clear_csv", "run_date": "2026-11-01"})
        for name in self.FILES:
            key = f"export/csv/2026-11-01/{name}"
            context.client("s3").put_object(Bucket=context.settings.bucket, Key=key, Body=content)
        return actions.perform(context, {"action": "export.book", "run_date": "2026-11-01"})

    def kept(self, context) -> dict[str, bytes]:
        found = context.client("s3").list_objects_v2(Bucket=context.settings.bucket, Prefix="export/booked/")[
            "Contents"
        ]
        return {
            o["Key"].removeprefix("export/booked/2026-11-01/"): read(context, context.settings.bucket, o["Key"])
            for o in found
        }

    def test_each_attempt_has_a_folder_and_the_latest_is_named(self, context):
        assert self.export(context, b"first", "one") == {"kept": 3, "attempt": 1}
        assert self.export(context, b"second", "two") == {"kept": 3, "attempt": 2}
        kept = self.kept(context)
        latest = json.loads(kept.pop("latest.json"))
        assert latest == {"attempt": 2, "sha256": hashlib.sha256(b"second").hexdigest()}
        assert kept == {f"{n:02d}/{name}": text for n, text in ((1, "first"), (2, "second")) for name in self.FILES}

    def test_the_same_bytes_are_not_kept_twice(self, context):
        self.export(context, b"first", "one")
        before = self.kept(context)
        assert self.export(context, b"first", "two") == {"kept": 0, "attempt": 1}
        assert self.kept(context) == before

    def test_the_same_attempt_again_keeps_the_same_folder(self, context):
        """A state that Step Functions tries again: the execution counts once."""
        self.export(context, b"first", "one")
        assert self.export(context, b"changed", "one") == {"kept": 3, "attempt": 1}

    def test_nobody_deletes_them_for_seven_years(self, context):
        self.export(context, b"first", "one")
        s3, bucket = context.client("s3"), context.settings.bucket
        for name in self.FILES:
            where = {"Bucket": bucket, "Key": f"export/booked/2026-11-01/01/{name}"}
            found = s3.head_object(**where)
            assert found["ObjectLockMode"] == "GOVERNANCE"
            assert str(found["ObjectLockRetainUntilDate"])[:10] == "2033-11-01"  # 2,557 days after NOW
            with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
                s3.delete_object(**where, VersionId=s3.head_object(**where)["VersionId"])

    def test_without_control_totals_there_is_nothing_to_keep(self, context):
        context.ledger.begin_step("export", RUN_DATE, "one", context.now)
        with pytest.raises(ControlTotalsRefused, match=r"there is no control\.json"):
            actions.perform(context, {"action": "export.book", "run_date": "2026-11-01"})


class TestMeterData:
    @pytest.fixture
    def works(self, prepared, context):
        """Three sites to estimate; SQL says what the days of two of them are."""
        execute(
            prepared,
            """
            create or replace function bua.list_nem12(p_run_date date)
            returns table (item_key text, sort_key text) language sql stable as
            $$ select unnest(array['6305000001', '6305000002', '6305000003']), '' $$;
            create or replace function bua.generate_nem12_days(p_run_date date, p_site_ids text[])
            returns table (site_id text, suffix text, meter_serial text, register_id text, profile_date date,
                           half_hours numeric[], qualities text) language sql stable as
            $$ select site, 'E1', 'M1', 'E1', day::date, array_fill(0.125, array[48]), repeat('E', 48)
               from unnest(p_site_ids) site, generate_series('2026-10-30'::date, '2026-10-31', '1 day') day
               where site <> '6305000003' $$;
            """,
        )
        return fan_out(context, "NEM12", "site-nem12")

    def test_a_file_per_nmi_and_one_instance_that_loads_them(self, prepared, context, works):
        for work in works:
            nem12.generate(context, work)
        keys = [f"nem12/2026-11-01/630500000{number}.csv" for number in (1, 2)]
        lines = read(context, context.settings.bucket, keys[0]).splitlines()
        assert [line.split(",")[0] for line in lines] == ["100", "200", "300", "300", "900"]
        assert lines[1].startswith("200,6305000001,E1,E1,E1,,M1,KWH,30")
        assert lines[2].startswith("300,20261030,0.125,0.125,")
        payloads = execute(prepared, "select workflow_name, payload, run_date from core.workflow_instance")
        expected = {"run_date": "2026-11-01", "bucket": "tst-anstead-s3-bua", "keys": keys}
        assert payloads == [("LOAD_NEM12", expected, RUN_DATE)]

    def test_a_site_without_anything_to_go_by_is_skipped_with_a_reason(self, prepared, context, works):
        for work in works:
            nem12.generate(context, work)
        found = execute(prepared, "select item_key, state, reason is null from bua.bua_control order by 1")
        assert found == [("6305000001", "DONE", True), ("6305000002", "DONE", True), ("6305000003", "SKIP", False)]

    def test_a_second_delivery_raises_no_second_instance(self, prepared, context, works):
        for work in [*works, *works]:
            nem12.generate(context, work)
        assert execute(prepared, "select count(*) from core.workflow_instance") == [(1,)]

    def test_a_new_attempt_begins_with_an_empty_folder(self, context):
        context.client("s3").put_object(Bucket=context.settings.bucket, Key=f"{prefix(RUN_DATE)}old.csv", Body=b"")
        context.client("s3").put_object(Bucket=context.settings.bucket, Key="nem12/2026-10-01/kept.csv", Body=b"")
        assert actions.perform(context, {"action": "nem12.clear_files", "run_date": "2026-11-01"}) == {"removed": 1}
