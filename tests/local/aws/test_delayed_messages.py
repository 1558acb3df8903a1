"""What waits for messages is woken when a delayed one is due, not only when it is sent."""

import asyncio

import pytest
from ministack.core.concurrency import esm_wake
from ministack.services import sqs

from local.aws import patches


@pytest.fixture
def queue_url(monkeypatch):
    monkeypatch.setattr(sqs, "_act_send_message", sqs._act_send_message)  # so that it is put back afterwards
    monkeypatch.setitem(sqs._HANDLERS, "SendMessage", sqs._HANDLERS["SendMessage"])
    patches._delayed_messages_on_time()
    url = sqs._act_create_queue({"QueueName": "delayed"}, "")["QueueUrl"]
    yield url
    sqs._act_delete_queue({"QueueUrl": url}, url)


def received(queue_url):
    found = asyncio.run(sqs._act_receive_message({"QueueUrl": queue_url, "WaitTimeSeconds": 0}, queue_url))
    return [message["Body"] for message in found.get("Messages", [])]


def test_a_delayed_message_wakes_its_reader_when_it_is_due(queue_url):
    sqs._HANDLERS["SendMessage"]({"QueueUrl": queue_url, "MessageBody": "tick", "DelaySeconds": 5}, queue_url)
    esm_wake.clear()  # what sending it set
    assert received(queue_url) == []
    assert esm_wake.wait(60)  # without the patch nothing ever sets it
    assert received(queue_url) == ["tick"]
