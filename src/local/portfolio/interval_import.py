"""Fills an interval store table at once, by DynamoDB's own import from S3.

BatchWriteItem takes 25 items a request, and most of the time goes into requests: a whole portfolio is imported several
times faster, and the caller can do other work until the import is done.
"""

import gzip
import json
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shared.errors import PermanentError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

ITEMS_KEY = "items.json.gz"
POLL_SECONDS = 0.1


class ImportFailed(PermanentError):  # noqa: N818 - as its siblings
    """A table could not be imported; the message has DynamoDB's reason."""


@contextmanager
def importing(
    dynamodb: "DynamoDBClient", s3: "S3Client", *, bucket: str, table: str, items: Iterable[Mapping[str, Any]]
) -> Iterator[None]:
    """Fill an empty table while the body of the with statement does other work; at its end the table is filled.

    An import creates its table: the empty one is replaced by one of the same keys, with point-in-time recovery if it had that. The bucket, a new one of this name,
    lives as long as the import. Raises ImportFailed when the table holds items, or does not hold all of them at the end.
    """
    definition, recovery = dynamodb.describe_table(TableName=table)["Table"], _recovery(dynamodb, table)
    if dynamodb.scan(TableName=table, Limit=1, Select="COUNT")["Count"]:
        raise ImportFailed(f"table {table} is not empty, an import would replace what it holds")
    region: Any = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=region)
    s3.put_object(Bucket=bucket, Key=ITEMS_KEY, Body=gzip.compress(_lines(items), compresslevel=1))
    dynamodb.delete_table(TableName=table)
    dynamodb.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    started = dynamodb.import_table(
        S3BucketSource={"S3Bucket": bucket, "S3KeyPrefix": ITEMS_KEY},
        InputFormat="DYNAMODB_JSON",
        InputCompressionType="GZIP",
        TableCreationParameters={
            "TableName": table,
            "KeySchema": definition["KeySchema"],
            "AttributeDefinitions": definition["AttributeDefinitions"],
            "BillingMode": "PAY_PER_REQUEST",
        },
    )
    yield
    _wait(dynamodb, started["ImportTableDescription"]["ImportArn"])
    if recovery:
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    s3.delete_object(Bucket=bucket, Key=ITEMS_KEY)
    s3.delete_bucket(Bucket=bucket)


def _recovery(dynamodb: "DynamoDBClient", table: str) -> bool:
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    return backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def _wait(dynamodb: "DynamoDBClient", import_arn: str) -> None:
    while True:
        description = dynamodb.describe_import(ImportArn=import_arn)["ImportTableDescription"]
        if description["ImportStatus"] == "COMPLETED":
            return
        if description["ImportStatus"] != "IN_PROGRESS":
            raise ImportFailed(f"import of {description['TableArn']}: {description.get('FailureMessage')}")
        time.sleep(POLL_SECONDS)


def _lines(items: Iterable[Mapping[str, Any]]) -> bytes:
    encoder = json.JSONEncoder(separators=(",", ":"), default=lambda packed: b64encode(packed).decode())
    return "\n".join(encoder.encode({"Item": item}) for item in items).encode()
