"""Exports and imports of a table, as strict as AWS: the right moment or none, the right account or none."""

import gzip
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local.aws import names
from local.aws.beforehand import create_table, enable_recovery

TABLE = "test-intervals"
ARN = names.arn("dynamodb", names.EARL, f"table/{TABLE}")


@pytest.fixture(scope="module")
def moments(earl):
    """A table that changes: before recovery, at `first` (a=1, b=1), and after it (a=2, b gone, c)."""
    dynamodb = earl.client("dynamodb")
    create_table(dynamodb, TABLE, "pk", "sk")

    def put(key, value):
        dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": key}, "sk": {"S": "s"}, "v": {"B": value}})

    put("a", b"\x00\x01")
    before = datetime.now(UTC)
    time.sleep(0.05)
    enable_recovery(dynamodb, TABLE)
    put("b", b"1")
    time.sleep(0.05)
    first = datetime.now(UTC)
    time.sleep(0.05)
    put("a", b"2")
    put("c", b"1")
    dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "b"}, "sk": {"S": "s"}})
    yield {"before": before, "first": first}
    dynamodb.delete_table(TableName=TABLE)


def export(earl, moment, **given):
    arguments = {
        "TableArn": ARN,
        "S3Bucket": names.INTERVAL_EXPORT_BUCKET,
        "S3Prefix": "test",
        "ExportTime": moment,
    } | given
    dynamodb = earl.client("dynamodb")
    try:
        return dynamodb.export_table_to_point_in_time(**arguments)["ExportDescription"]
    except dynamodb.exceptions.InvalidExportTimeException:  # it is too fresh
        return dynamodb.export_table_to_point_in_time(**arguments)["ExportDescription"]


def ended(look, key):
    while (found := look())[key] == "IN_PROGRESS":
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def exported(earl, moments):
    dynamodb, begun = earl.client("dynamodb"), export(earl, moments["first"], ClientToken="test-1")
    assert begun["ExportStatus"] == "IN_PROGRESS"
    return ended(lambda: dynamodb.describe_export(ExportArn=begun["ExportArn"])["ExportDescription"], "ExportStatus")


def folder(exported):
    return f"test/AWSDynamoDB/{exported['ExportArn'].rsplit('/', 1)[1]}"


def begin_import(anstead, name, exported, **source):
    given = {
        "S3Bucket": names.INTERVAL_EXPORT_BUCKET,
        "S3BucketOwner": names.EARL,
        "S3KeyPrefix": f"{folder(exported)}/data/",
    }
    keys = (("pk", "HASH"), ("sk", "RANGE"))
    return anstead.client("dynamodb").import_table(
        ClientToken=name, InputFormat="DYNAMODB_JSON", InputCompressionType="GZIP",
        S3BucketSource={key: value for key, value in (given | source).items() if value},
        TableCreationParameters={
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        },
    )["ImportTableDescription"]["ImportArn"]  # fmt: skip


def import_ended(anstead, arn):
    dynamodb = anstead.client("dynamodb")
    return ended(lambda: dynamodb.describe_import(ImportArn=arn)["ImportTableDescription"], "ImportStatus")


def test_an_export_holds_what_the_table_held_at_the_moment(earl, exported):
    assert (exported["ExportStatus"], exported["ItemCount"]) == ("COMPLETED", 2)
    s3 = earl.client("s3")
    listed = s3.list_objects_v2(Bucket=names.INTERVAL_EXPORT_BUCKET, Prefix=f"{folder(exported)}/data/")["Contents"]
    bodies = [s3.get_object(Bucket=names.INTERVAL_EXPORT_BUCKET, Key=found["Key"])["Body"].read() for found in listed]
    lines = [json.loads(line) for body in bodies for line in gzip.decompress(body).splitlines()]
    assert sorted((line["Item"]["pk"]["S"], line["Item"]["v"]["B"]) for line in lines) == [("a", "AAE="), ("b", "MQ==")]


def test_the_same_token_is_the_same_export_and_with_another_moment_none(earl, moments, exported):
    assert export(earl, moments["first"], ClientToken="test-1")["ExportArn"] == exported["ExportArn"]
    with pytest.raises(ClientError, match="ExportConflict"):
        export(earl, moments["first"] + timedelta(milliseconds=1), ClientToken="test-1")


def test_a_moment_that_is_too_fresh_is_refused_until_it_is_older(earl, moments):
    dynamodb, moment = earl.client("dynamodb"), datetime.now(UTC)
    arguments = {"TableArn": ARN, "S3Bucket": names.INTERVAL_EXPORT_BUCKET, "ExportTime": moment}
    with pytest.raises(dynamodb.exceptions.InvalidExportTimeException):
        dynamodb.export_table_to_point_in_time(**arguments)
    assert dynamodb.export_table_to_point_in_time(**arguments)["ExportDescription"]["ExportArn"].startswith(ARN)


def test_a_moment_outside_of_the_window_is_refused(earl, moments):
    dynamodb = earl.client("dynamodb")
    for moment in (moments["before"], datetime.now(UTC) + timedelta(hours=1)):
        for _ in range(2):
            with pytest.raises(dynamodb.exceptions.InvalidExportTimeException):
                dynamodb.export_table_to_point_in_time(
                    TableArn=ARN, S3Bucket=names.INTERVAL_EXPORT_BUCKET, ExportTime=moment
                )


def test_a_table_without_recovery_is_refused(earl):
    dynamodb = earl.client("dynamodb")
    create_table(dynamodb, "test-no-recovery", "pk", "sk")
    with pytest.raises(dynamodb.exceptions.PointInTimeRecoveryUnavailableException):
        export(earl, datetime.now(UTC), TableArn=names.arn("dynamodb", names.EARL, "table/test-no-recovery"))
    dynamodb.delete_table(TableName="test-no-recovery")


def test_another_account_imports_what_was_exported(anstead, exported):
    dynamodb, arn = anstead.client("dynamodb"), begin_import(anstead, "test-imported", exported)
    assert begin_import(anstead, "test-imported", exported) == arn
    found = import_ended(anstead, arn)
    assert (found["ImportStatus"], found["ImportedItemCount"], found["ErrorCount"]) == ("COMPLETED", 2, 0)
    item = dynamodb.get_item(TableName="test-imported", Key={"pk": {"S": "a"}, "sk": {"S": "s"}})["Item"]
    assert item["v"]["B"] == b"\x00\x01"
    with pytest.raises(ClientError, match="ImportConflict"):
        begin_import(anstead, "test-imported", exported, S3KeyPrefix="other")
    dynamodb.delete_table(TableName="test-imported")


@pytest.mark.parametrize("owner", [None, names.ANSTEAD])
def test_a_bucket_of_another_account_is_read_only_under_its_owners_name(anstead, exported, owner):
    found = import_ended(anstead, begin_import(anstead, f"test-owner-{owner}", exported, S3BucketOwner=owner))
    assert (found["ImportStatus"], found["FailureCode"]) == ("FAILED", "S3AccessDenied")
    assert f"test-owner-{owner}" not in anstead.client("dynamodb").list_tables()["TableNames"]


def test_a_bucket_that_admits_nobody_is_not_read(anstead, earl, exported):
    s3 = earl.client("s3")
    policy = s3.get_bucket_policy(Bucket=names.INTERVAL_EXPORT_BUCKET)["Policy"]
    s3.delete_bucket_policy(Bucket=names.INTERVAL_EXPORT_BUCKET)
    found = import_ended(anstead, begin_import(anstead, "test-closed", exported))
    s3.put_bucket_policy(Bucket=names.INTERVAL_EXPORT_BUCKET, Policy=policy)
    assert (found["ImportStatus"], found["FailureCode"]) == ("FAILED", "S3AccessDenied")
