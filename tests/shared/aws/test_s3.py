"""Objects written in parts, folders cleared and copied, on moto's S3."""

import pytest

from shared.aws import s3

KB = 1024
PART = 5 * KB * KB  # S3's smallest


@pytest.fixture
def bucket(context):
    return context.client("s3"), context.settings.bucket


def content(client, bucket: str, key: str) -> bytes:
    return client.get_object(Bucket=bucket, Key=key)["Body"].read()


@pytest.mark.parametrize("size", [0, 10, PART, PART + 1, 2 * PART + 7])
def test_what_is_written_is_the_object(bucket, size):
    client, name = bucket
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with s3.ObjectWriter(client, name, "file.csv", part_bytes=PART) as writer:
        for start in range(0, size, 700_001):
            writer.write(data[start : start + 700_001])
    assert content(client, name, "file.csv") == data
    assert writer.bytes_written == size


@pytest.mark.parametrize("size", [10, PART + 1])
def test_a_failed_export_leaves_the_object_as_it_was(bucket, size):
    client, name = bucket
    client.put_object(Bucket=name, Key="file.csv", Body=b"before")

    def export() -> None:
        with s3.ObjectWriter(client, name, "file.csv", part_bytes=PART) as writer:
            writer.write(b"x" * size)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        export()
    assert content(client, name, "file.csv") == b"before"
    assert "Uploads" not in client.list_multipart_uploads(Bucket=name)


def test_clearing_takes_everything_under_the_prefix_and_nothing_else(bucket):
    client, name = bucket
    for number in range(25):
        client.put_object(Bucket=name, Key=f"export/csv/2026-11-01/{number}.csv", Body=b"")
    client.put_object(Bucket=name, Key="export/csv/2026-10-01/0.csv", Body=b"")
    assert s3.delete_prefix(client, name, "export/csv/2026-11-01/") == 25
    assert [o["Key"] for o in client.list_objects_v2(Bucket=name)["Contents"]] == ["export/csv/2026-10-01/0.csv"]


def test_copying_keeps_names_below_the_prefix(context):
    client, settings = context.client("s3"), context.settings
    client.put_object(Bucket=settings.bucket, Key="export/csv/2026-11-01/summary.csv", Body=b"a,b")
    copied = s3.copy_prefix(
        client, (settings.bucket, "export/csv/2026-11-01/"), (settings.integration_bucket, "ADH/OUTBOUND/BUA/")
    )
    assert copied == 1
    assert content(client, settings.integration_bucket, "ADH/OUTBOUND/BUA/summary.csv") == b"a,b"
