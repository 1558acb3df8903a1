"""Streams into and between S3 buckets."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# S3 requires parts of at least 5 MB and at most 10,000 of them: with 32 MB a file may have 320 GB.
PART_BYTES = 32 * 1024 * 1024
COPIES_AT_ONCE = 8


class ObjectWriter(io.RawIOBase):
    """A file that becomes an S3 object when the with-block succeeds, and nothing when it fails.

    Only one part is in memory at a time, so that a function exports more than it has memory and disk for.
    """

    def __init__(self, client: Any, bucket: str, key: str, part_bytes: int = PART_BYTES) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        self._part_bytes = part_bytes
        self._buffer = bytearray()
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []
        self.bytes_written = 0

    def writable(self) -> bool:
        """It is: io.BufferedWriter asks."""
        return True

    def write(self, data: "ReadableBuffer") -> int:
        """Write bytes; full parts are uploaded at once."""
        size = len(memoryview(data))
        self._buffer += data
        self.bytes_written += size
        while len(self._buffer) >= self._part_bytes:
            self._upload_part(bytes(self._buffer[: self._part_bytes]))
            del self._buffer[: self._part_bytes]
        return size

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the object, or abort the upload."""
        where = {"Bucket": self._bucket, "Key": self._key}
        if kind is not None:
            self.close()  # whatever a buffer still holds is not written
            if self._upload:
                self._client.abort_multipart_upload(**where, UploadId=self._upload)
            return
        if self._upload is None:
            self._client.put_object(**where, Body=bytes(self._buffer))
            return
        if self._buffer:
            self._upload_part(bytes(self._buffer))
        self._client.complete_multipart_upload(**where, UploadId=self._upload, MultipartUpload={"Parts": self._parts})

    def _upload_part(self, data: bytes) -> None:
        where = {"Bucket": self._bucket, "Key": self._key}
        if self._upload is None:
            self._upload = self._client.create_multipart_upload(**where)["UploadId"]
        number = len(self._parts) + 1
        response = self._client.upload_part(**where, UploadId=self._upload, PartNumber=number, Body=data)
        self._parts.append({"ETag": response["ETag"], "PartNumber": number})


def delete_prefix(client: Any, bucket: str, prefix: str) -> int:
    """Delete every object under a prefix; returns how many there were."""
    deleted = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if keys:
            client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            deleted += len(keys)
    return deleted


def copy_prefix(
    client: Any,
    source: tuple[str, str],
    target: tuple[str, str],
    *,
    last: str | None = None,
    retain_until: datetime | None = None,
) -> int:
    """Copy every object under a bucket's prefix to another bucket's prefix; returns how many there were.

    last: the name of the object that is copied when all others are there. retain_until: before then nobody deletes or
    replaces the copies; their bucket has Object Lock.
    """
    bucket, prefix = source
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = [entry["Key"].removeprefix(prefix) for page in pages for entry in page.get("Contents", [])]

    def copy(name: str) -> None:
        # The managed copy goes part by part above 8 MB; a single CopyObject is limited to 5 GB.
        client.copy({"Bucket": bucket, "Key": prefix + name}, target[0], target[1] + name)
        if retain_until:
            retain(client, target[0], target[1] + name, retain_until)

    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        list(pool.map(copy, [name for name in found if name != last]))
    for name in found:
        if name == last:
            copy(name)
    return len(found)


def download_prefix(client: Any, bucket: str, prefix: str, place: Path) -> None:
    """Download every object under a prefix into a folder, by the names below the prefix."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def download(key: str) -> None:
        path = place / key.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(bucket, key, str(path))

    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        list(pool.map(download, found))


def upload(client: Any, path: Path, target: tuple[str, str], retain_until: datetime | None = None) -> None:
    """Upload a file to a bucket's key. retain_until: before then nobody deletes or replaces it."""
    client.upload_file(str(path), *target)
    if retain_until:
        retain(client, *target, retain_until)


def retain(client: Any, bucket: str, key: str, until: datetime) -> None:
    """Let nobody delete or replace an object's version before then; its bucket has Object Lock."""
    client.put_object_retention(Bucket=bucket, Key=key, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
