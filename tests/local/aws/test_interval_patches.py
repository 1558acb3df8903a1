"""ministack's DynamoDB answers the same with the patches for interval reads as without."""

import json

import pytest
from ministack.services import dynamodb

from local.aws import interval_patches

QUERY = {
    "TableName": "patched",
    "KeyConditionExpression": "pk = :pk and sk between :first and :last",
    "ExpressionAttributeValues": {":pk": {"S": "a"}, ":first": {"S": "2"}, ":last": {"S": "4"}},
}


@pytest.fixture
def table(monkeypatch):
    for name in ("_tokenize", "_condition_syntax_error", "_run_import", "_put_item"):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))  # so that it is put back afterwards
    dynamodb._create_table(
        {
            "TableName": "patched",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
        }
    )
    for number in range(1, 6):
        dynamodb._put_item({"TableName": "patched", "Item": {"pk": {"S": "a"}, "sk": {"S": str(number)}}})
    yield
    dynamodb._delete_table({"TableName": "patched"})


def test_queries_answer_the_same(table):
    before = [dynamodb._query(query) for query in (QUERY, QUERY | {"KeyConditionExpression": "pk = = :pk"})]
    interval_patches.install()
    for _ in range(2):
        after = [dynamodb._query(query) for query in (QUERY, QUERY | {"KeyConditionExpression": "pk = = :pk"})]
        assert [(answer[0], answer[2]) for answer in after] == [(answer[0], answer[2]) for answer in before]
    assert [item["sk"]["S"] for item in json.loads(after[0][2])["Items"]] == ["2", "3", "4"]
    assert after[1][0] == 400


def test_single_puts_are_still_judged(table):
    interval_patches.install()
    status, _, _ = dynamodb._put_item({"TableName": "patched", "Item": {"pk": {"S": "a"}, "sk": {"N": "1"}}})
    assert status == 400
