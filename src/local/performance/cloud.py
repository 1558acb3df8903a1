"""What the functions need of AWS, in memory: queues, files, a store of interval reads, and a state that waits.

There is no emulator in between: what is measured is the functions' own work and the database's.
"""

import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


class NoSuchKey(Exception):  # noqa: N818 - S3's name
    """There is no such object."""


class Body(io.BytesIO):
    """An object's content."""

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        """The content in pieces."""
        while piece := self.read(size):
            yield piece


@dataclass
class Files:
    """S3."""

    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    class exceptions:  # noqa: N801 - boto3's name
        """As boto3 has them."""

        NoSuchKey = NoSuchKey

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        """Keep an object."""
        del Bucket
        self.objects[Key] = Body

    def get_object(self, Bucket: str, Key: str) -> dict[str, Body]:  # noqa: N803
        """An object, or NoSuchKey."""
        del Bucket
        if Key not in self.objects:
            raise NoSuchKey(Key)
        return {"Body": Body(self.objects[Key])}

    def get_paginator(self, _operation: str) -> "Files":
        """A listing's pages."""
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        """No folders: a rehearsal has no run before."""
        yield {}

    def create_multipart_upload(self, Bucket: str, Key: str) -> dict[str, str]:  # noqa: N803
        """Begin an object that comes in parts."""
        del Bucket
        return {"UploadId": Key}

    def upload_part(self, Body: bytes, UploadId: str, **_: Any) -> dict[str, str]:  # noqa: N803
        """One part more."""
        self.parts[UploadId].append(Body)
        return {"ETag": ""}

    def complete_multipart_upload(self, UploadId: str, **_: Any) -> None:  # noqa: N803
        """The parts are the object."""
        self.objects[UploadId] = b"".join(self.parts.pop(UploadId))


@dataclass
class Queues:
    """SQS: a list of messages by the queue's address."""

    messages: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def send_message(self, QueueUrl: str, MessageBody: str, **_: Any) -> None:  # noqa: N803
        """Add a message."""
        self.messages[QueueUrl].append(MessageBody)

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """Add messages."""
        self.messages[QueueUrl] += [entry["MessageBody"] for entry in Entries]
        return {}

    def receive_message(self, **_: Any) -> dict[str, Any]:
        """Dead letters: there are none, an error ends the rehearsal."""
        return {}

    def take(self, url: str) -> list[str]:
        """All messages of a queue, taken off it."""
        return self.messages.pop(url, [])


@dataclass
class States:
    """Step Functions: the one state that waits for a fan-out."""

    outputs: list[str] = field(default_factory=list)

    def send_task_heartbeat(self, taskToken: str) -> None:  # noqa: N803
        """The state waits."""

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803
        """The fan-out is complete."""
        del taskToken
        self.outputs.append(output)

    def send_task_failure(self, **_: str) -> None:
        """More items failed than are tolerated: the counts say so too."""


@dataclass
class RunStore:
    """The interval store that meterdata writes, DynamoDB: by partition and sort key."""

    items: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))

    def get_paginator(self, _operation: str) -> "RunStore":
        """A query's pages."""
        return self

    def paginate(self, *, ExpressionAttributeValues: Any, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        """A partition's items, between two sort keys if they are given."""
        first, last = (ExpressionAttributeValues.get(name, {}).get("S") for name in (":first", ":last"))
        found = self.items.get(ExpressionAttributeValues[":pk"]["S"], {})
        yield {"Items": [item for key, item in sorted(found.items()) if (first or "") <= key <= (last or "~")]}

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803
        """Put and delete items."""
        for request in (one for requests in RequestItems.values() for one in requests):
            if put := request.get("PutRequest"):
                self.items[put["Item"]["pk"]["S"]][put["Item"]["sk"]["S"]] = put["Item"]
            else:
                key = request["DeleteRequest"]["Key"]
                self.items[key["pk"]["S"]].pop(key["sk"]["S"], None)
        return {"UnprocessedItems": {}}


@dataclass
class Ledger:
    """The run ledger: keeps the counts, knows nothing of runs before."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def add_counts(self, step: str, run_date: Any, name: str, counts: dict[str, int]) -> None:
        """The counts of a fan-out."""
        del step, run_date
        self.counts[name] = counts

    def run(self, run_date: Any) -> dict[str, Any]:
        """The record of a run: a rehearsal has no snapshot."""
        del run_date
        return {}
