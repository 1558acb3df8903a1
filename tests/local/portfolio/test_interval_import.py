"""A table filled by DynamoDB's import from S3, with moto."""

import boto3
import pytest
from moto import mock_aws

from local.platform.interval_loader import to_items, write_items
from local.platform.nem12_reader import read_bytes
from local.portfolio.interval_import import ImportFailed, importing
from shared.metering.interval_store import decode_items

BUCKET = "tst-earl-s3-interval-import"
TABLE = "tst-earl-ddb-interval"
FILE = (
    b"100,NEM12,202610060200,MDP1,RETAILER\n200,2001985732,E1,1,E1,N1,M1,kWh,30,\n"
    + b"".join(b"300,202610%02d," % day + b"0.25," * 48 + b"A,,,20261101020000,\n" for day in range(1, 31))
    + b"900\n"
)


@pytest.fixture
def clients():
    with mock_aws():
        dynamodb, s3 = (boto3.client(service, region_name="ap-southeast-2") for service in ("dynamodb", "s3"))
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield dynamodb, s3


def test_an_import_brings_the_same_items_as_writing_them(clients):
    dynamodb, s3 = clients
    items = to_items(read_bytes("october.csv", FILE))
    with importing(dynamodb, s3, bucket=BUCKET, table=TABLE, items=items):
        pass
    assert s3.list_buckets()["Buckets"] == []
    stored = dynamodb.scan(TableName=TABLE)["Items"]
    assert sorted(stored, key=lambda item: item["sk"]["S"]) == items
    assert decode_items(stored).totals.tolist() == [12_000_000] * 30


def test_a_table_that_holds_items_is_not_replaced(clients):
    dynamodb, s3 = clients
    items = to_items(read_bytes("october.csv", FILE))
    write_items(dynamodb, TABLE, items[:1])
    with (
        pytest.raises(ImportFailed, match="is not empty"),
        importing(dynamodb, s3, bucket=BUCKET, table=TABLE, items=items),
    ):
        pass
    assert dynamodb.scan(TableName=TABLE)["Items"] == items[:1]


def test_an_import_that_loses_items_fails(clients):
    dynamodb, s3 = clients
    items = [{"pk": {"S": "without a sort key"}}]
    with pytest.raises(ImportFailed), importing(dynamodb, s3, bucket=BUCKET, table=TABLE, items=items):
        pass
