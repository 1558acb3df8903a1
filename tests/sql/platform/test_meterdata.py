"""The meterdata service: from files in S3 to items of the run and the import workflow; S3 and DynamoDB by moto."""

from contextlib import closing
from datetime import date
from decimal import Decimal

import boto3
import psycopg2
import pytest
from moto import mock_aws

from local.platform.engine import raise_instance, work_once
from local.platform.interval_loader import to_items, write_items
from local.platform.meterdata import Loader
from local.platform.nem12_reader import read_bytes
from shared.metering.interval_store import decode_items, decode_run_items, query_items
from shared.metering.nem12 import EstimatedDay, write_nem12

NMI = "2001985732"
RUN_DATE = date(2026, 11, 1)
BUCKET = "tst-anstead-s3-bua"
TABLE = "tst-anstead-ddb-interval"
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


def estimated(day, kwh="0.250", qualities="E" * 48, nmi=NMI):
    return EstimatedDay(nmi, "E1", "M1", "1", date(2026, 10, day), [Decimal(kwh)] * 48, qualities)


class World:
    """A platform database, a bucket and meterdata's own table."""

    def __init__(self, database, connection):
        self.database = database
        self.connection = connection
        self.s3 = boto3.client("s3", region_name="ap-southeast-2")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-southeast-2"})
        self.dynamodb = boto3.client("dynamodb", region_name="ap-southeast-2")
        self.dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    def load(self, files, run_date=RUN_DATE):
        """Do what site-nem12 does, then let the service work."""
        for key, content in files.items():
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        payload = {"run_date": run_date.isoformat(), "bucket": BUCKET, "keys": sorted(files)}
        with self.connection:
            raise_instance(self.connection, "LOAD_NEM12", payload, run_date)
        loader = Loader(self.s3, self.dynamodb, TABLE)
        assert work_once(self.connection, {"LOAD_NEM12": loader.load})

    def items(self, nmi=NMI):
        return query_items(self.dynamodb, TABLE, nmi, *OCTOBER)

    def ask(self, query):
        with self.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()


@pytest.fixture
def world(platform_database, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws(), closing(psycopg2.connect(platform_database.dsn_of("meterdata"))) as connection:
        yield World(platform_database, connection)


def test_a_run_s_files_become_items_of_the_run_and_an_import(world):
    world.load(
        {
            "nem12/2026-11-01/a.csv": write_nem12([estimated(3), estimated(4, "0.5", "A" * 10 + "E" * 38)], RUN_DATE),
            "nem12/2026-11-01/b.csv": write_nem12([estimated(5, nmi="7102000001")], RUN_DATE),
        }
    )
    days = decode_run_items(world.items(), RUN_DATE)
    assert days.days.astype(str).tolist() == ["2026-10-03", "2026-10-04"]
    assert days.totals.tolist() == [12_000_000, 24_000_000]
    assert days.qualities == ["E" * 48, "A" * 10 + "E" * 38]
    assert len(decode_items(world.items())) == 0, "what a run made is nobody's input"
    assert world.ask("select workflow_name, state, run_date, payload from core.workflow_instance order by 1 desc") == [
        ("LOAD_NEM12", "COMPLETE", RUN_DATE, {"bucket": BUCKET, "run_date": "2026-11-01",
            "keys": ["nem12/2026-11-01/a.csv", "nem12/2026-11-01/b.csv"]}),
        ("IMPORT_NEM12", "READY", RUN_DATE, {"run_date": "2026-11-01", "reads": [
            {"nmi": NMI, "suffix": "E1", "from": "2026-10-03", "to": "2026-10-04"},
            {"nmi": "7102000001", "suffix": "E1", "from": "2026-10-05", "to": "2026-10-05"}]}),
    ]  # fmt: skip


def test_loading_again_leaves_the_same_items(world):
    files = {"a.csv": write_nem12([estimated(3), estimated(4)], RUN_DATE)}
    world.load(files)
    before = world.items()
    world.load(files)
    assert world.items() == before


def test_what_an_earlier_attempt_of_the_run_left_is_removed_and_nothing_else(world):
    """Day 4 was missing and is not any more, day 5 was all missing and now half of it is known: another partition."""
    known = b"100,NEM12,202610060200,MDP1,RETAILER\n200,2001985732,E1,1,E1,N1,M1,kWh,30,\n" + (
        b"300,20261020," + b"1," * 48 + b"E52,,,20261021020000,\n900\n"
    )
    write_items(world.dynamodb, TABLE, to_items(read_bytes("known.csv", known)))
    world.load({"a.csv": write_nem12([estimated(7)], date(2026, 12, 1))}, run_date=date(2026, 12, 1))
    world.load({"a.csv": write_nem12([estimated(3), estimated(4), estimated(5)], RUN_DATE)})
    world.load({"a.csv": write_nem12([estimated(3), estimated(5, qualities="A" * 24 + "E" * 24)], RUN_DATE)})
    keys = sorted((item["sk"]["S"], item["pk"]["S"][-3:]) for item in world.items())
    assert keys == [
        ("2026-10-03|E1", "EST"),
        ("2026-10-05|E1", "ACT"),
        ("2026-10-07|E1", "EST"),
        ("2026-10-20|E1", "EST"),
    ]


def test_one_wrong_file_fails_the_load_before_anything_is_written(world):
    good, bad = write_nem12([estimated(3)], RUN_DATE), write_nem12([estimated(4)], RUN_DATE)[:-6]
    world.load({"a.csv": good, "b.csv": bad})
    assert world.items() == []
    assert world.ask("select workflow_name, state from core.workflow_instance") == [("LOAD_NEM12", "FAILED")]
    ((message,),) = world.ask("select message from core.workflow_exception")
    assert message.startswith("MeterDataRefused: b.csv:3: the 900 record that ends a file is missing")


def test_a_file_that_is_not_there_fails_the_load(world):
    world.s3.put_object(Bucket=BUCKET, Key="other.csv", Body=b"")
    with world.connection:
        raise_instance(
            world.connection, "LOAD_NEM12", {"run_date": "2026-11-01", "bucket": BUCKET, "keys": ["a.csv"]}, RUN_DATE
        )
    loader = Loader(world.s3, world.dynamodb, TABLE)
    assert work_once(world.connection, {"LOAD_NEM12": loader.load})
    ((message,),) = world.ask("select message from core.workflow_exception")
    assert "NoSuchKey" in message
