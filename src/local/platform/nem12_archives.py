"""What a meter data file is packed in: nothing, gzip, or a zip of one or more files.

Whatever is wrong with an archive is refused as MeterDataRefused, by kind: the libraries that decompress raise whatever
the damaged byte leads them to.
"""

import gzip
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO

from local.platform.nem12_fields import Fault, MeterDataRefused
from local.platform.text import printable

MAX_BYTES = 512 * 2**20  # of a file, or of all members of an archive, decompressed
GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
ENCRYPTED = 1  # a zip member's flag
TOO_LARGE = f"is larger than {MAX_BYTES // 2**20} MiB when decompressed, split it"

# What computers leave in folders and archives of themselves.
LITTER = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store")


@dataclass(frozen=True)
class Member:
    """A file of an archive, or the file itself; read() raises MeterDataRefused when it cannot be decompressed."""

    name: str
    read: Callable[[], bytes]


def is_litter(name: str) -> bool:
    """Tell whether a name, with its folders, is of what a computer leaves behind of itself."""
    parts = name.replace("\\", "/").casefold().split("/")
    return any(part in LITTER or part.startswith("._") for part in parts)


def members(name: str, content: bytes) -> list[Member]:
    """List what is packed in a file, by its content, whatever its name ends with; of an archive in order of names."""
    if content.startswith(GZIP_MAGIC):
        return [Member(name, lambda: _gunzipped(name, content))]
    if content.startswith(ZIP_MAGIC):
        return _zipped(name, content)
    if content and name.lower().endswith((".gz", ".zip")):
        raise _refused(name, "is named like an archive, but is none: pack it again, or name it .csv")
    return [Member(name, lambda: content)]


def _gunzipped(name: str, content: bytes) -> bytes:
    with _decompressing(name), gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        return _bounded(name, stream, MAX_BYTES)


def _zipped(name: str, content: bytes) -> list[Member]:
    with _decompressing(name):
        archive = zipfile.ZipFile(io.BytesIO(content))
        found = [info for info in archive.infolist() if not info.filename.endswith(("/", "\\"))]
    found = sorted((info for info in found if not is_litter(info.filename)), key=lambda info: info.filename)
    if not found:
        raise _refused(name, "the archive is empty")
    left = MAX_BYTES

    def read(place: str, info: zipfile.ZipInfo) -> bytes:
        nonlocal left
        if info.flag_bits & ENCRYPTED:
            raise _refused(place, "is encrypted, pack it without a password")
        with _decompressing(place), archive.open(info) as stream:
            unpacked = _bounded(place, stream, left)
        left -= len(unpacked)
        if unpacked.startswith((GZIP_MAGIC, *ZIP_MAGIC)):
            raise _refused(place, "is an archive within an archive, put it into the folder by itself")
        return unpacked

    return [Member(place, partial(read, place, info)) for place, info in zip(_places(name, found), found, strict=True)]


def _places(name: str, found: list[zipfile.ZipInfo]) -> Iterator[str]:
    """Name the members; tools that append to an archive leave several of one name, which are all read."""
    seen: Counter[str] = Counter()
    for info in found:
        seen[info.filename] += 1
        again = f" ({seen[info.filename]})" if seen[info.filename] > 1 else ""
        yield f"{name}/{printable(info.filename[:200])}{again}"


def _bounded(place: str, stream: IO[bytes] | gzip.GzipFile, most: int) -> bytes:
    content = stream.read(most + 1)
    if len(content) > most:
        raise _refused(place, TOO_LARGE)
    return content


@contextmanager
def _decompressing(place: str) -> Iterator[None]:
    try:
        yield
    except MeterDataRefused:
        raise
    except Exception as error:
        reason = printable(str(error) or type(error).__name__)[:200]
        advice = "fetch it again in binary mode, or pack it as an ordinary zip"
        raise _refused(place, f"cannot be decompressed ({reason}): {advice}") from error


def _refused(place: str, reason: str) -> MeterDataRefused:
    return MeterDataRefused([Fault(place, 0, reason)])
