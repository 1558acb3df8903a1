"""Archives as people send them: what is read of them, and that every damage is refused by its kind."""

import gzip
import io
import random
import struct
import warnings
import zipfile

import pytest

from local.platform import nem12_archives
from local.platform.interval_loader import to_items
from local.platform.nem12_reader import read_bytes
from shared.errors import InvalidInput
from shared.metering.interval_store import decode_items


def reads(day="20261015"):
    """12 kWh of one register and day: 48 x 0.25."""
    return (
        f"100,NEM12,202611010000,MDP9,RETAILY\n200,6407000001,E1,1,E1,N1,MTR1,KWH,30,\n"
        f"300,{day},{'0.25,' * 48}A,,,20261101010000,\n900\n"
    ).encode()


def packed(*members, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of two members of one name
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def kwh(content, name="reads.zip"):
    """Read an archive; return the kWh of each day as they would be stored."""
    days = decode_items(to_items(read_bytes(name, content)))
    return {str(day): total / 10**6 for day, total in zip(days.days, days.totals.tolist(), strict=True)}


def test_two_members_of_one_name_are_both_read():
    archive = packed(("reads.csv", reads("20261015")), ("reads.csv", reads("20261016")))
    assert kwh(archive) == {"2026-10-15": 12, "2026-10-16": 12}
    assert [file.name for file in read_bytes("a.zip", archive)] == ["a.zip/reads.csv", "a.zip/reads.csv (2)"]


@pytest.mark.parametrize(
    "litter",
    ["__MACOSX/", "__MACOSX/._reads.csv", "in/__MACOSX/._reads.csv", "._reads.csv", ".DS_Store", "in/.ds_store", "Thumbs.db",
     "DESKTOP.INI", "folder/", "folder\\", ".gitkeep", "README.txt", "in\\readme.md", "cover letter.pdf"],
)  # fmt: skip
def test_what_computers_and_people_put_beside_the_reads_is_passed_over(litter):
    content = b"" if litter.endswith(("/", "\\")) else b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"
    assert kwh(packed(("reads.csv", reads()), (litter, content))) == {"2026-10-15": 12}


@pytest.mark.parametrize(
    "name",
    [
        "reads.txt",
        "READS",
        "deep/down/reads.csv",
        "/etc/reads.csv",
        "../../reads.csv",
        "ca\u00f1\u00f3n.csv",
        "x\ny.csv",
        "x" * 5000,
    ],
)
def test_reads_are_read_whatever_their_member_is_called(name):
    """Nothing is written to disk, so no name can lead anywhere."""
    assert kwh(packed((name, reads()))) == {"2026-10-15": 12}
    assert all(
        file.name.isprintable() and len(file.name) < 250 for file in read_bytes("a.zip", packed((name, reads())))
    )


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_compression_that_zip_tools_write(compression):
    assert kwh(packed(("reads.csv", reads()), compression=compression)) == {"2026-10-15": 12}


def test_a_gzip_of_several_members_is_one_file():
    content = reads()
    assert kwh(gzip.compress(content[:100]) + gzip.compress(content[100:])) == {"2026-10-15": 12}


def with_flag(archive, bit):
    """Set a general purpose flag in the local and the central header."""
    changed = bytearray(archive)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[archive.index(signature) + offset] |= bit
    return bytes(changed)


def with_method(archive, method):
    changed = bytearray(archive)
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", changed, archive.index(signature) + offset, method)
    return bytes(changed)


SOUND = packed(("reads.csv", reads()))
TEXT = packed(("reads.csv", reads()), compression=zipfile.ZIP_STORED)


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (TEXT.replace(b"\n", b"\r\n"), "reads.zip/reads.csv", "cannot be decompressed"),
        (with_flag(SOUND, 1), "reads.zip/reads.csv", "is encrypted, pack it without a password"),
        (with_method(SOUND, 9), "reads.zip/reads.csv", "cannot be decompressed (That compression method is not supported)"),
        (SOUND[:-30], "reads.zip", "cannot be decompressed"),
        (TEXT.replace(b"0.25", b"0.35", 1), "reads.zip/reads.csv", "cannot be decompressed (Bad CRC-32"),
        (packed(("inner.zip", SOUND)), "reads.zip/inner.zip", "is an archive within an archive"),
        (packed(("inner.csv.gz", gzip.compress(reads(), mtime=0))), "reads.zip/inner.csv.gz", "is an archive within an archive"),
        (packed(), "reads.zip", "the archive is empty"),
        (packed(("__MACOSX/._reads.csv", b"x")), "reads.zip", "the archive is empty"),
        (packed(("report.xlsx", b"no reads")), "reads.zip/report.xlsx:1", "missing header"),
        (reads(), "reads.zip", "is named like an archive, but is none"),
        (gzip.compress(reads(), mtime=0)[:-9], "reads.zip", "cannot be decompressed (Compressed file ended"),
        (gzip.compress(reads(), mtime=0) + b"trailing", "reads.zip", "cannot be decompressed (Not a gzipped file"),
        (gzip.compress(reads(), mtime=0).replace(b"\n", b"\r\n") + b"\r\n", "reads.zip", "cannot be decompressed"),
    ],
)  # fmt: skip
def test_what_cannot_be_decompressed_is_refused(content, place, reason):
    with pytest.raises(InvalidInput) as refused:
        read_bytes("reads.zip", content)
    assert str(refused.value).startswith(f"{place}: {reason}")


def test_faults_of_all_members_are_named():
    bad = reads().replace(b"0.25", b"half", 1)
    with pytest.raises(InvalidInput) as refused:
        read_bytes("a.zip", packed(("b.csv", bad), ("c.csv", b""), ("a.csv", reads())))
    assert [(fault.file, fault.line) for fault in refused.value.faults] == [("a.zip/b.csv", 3), ("a.zip/c.csv", 1)]


class TestBombs:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch):
        monkeypatch.setattr(nem12_archives, "MAX_BYTES", 100_000)

    @pytest.mark.parametrize("pack", [gzip.compress, lambda content: packed(("bomb.csv", content))])
    def test_what_grows_beyond_all_measure_is_refused(self, pack):
        with pytest.raises(InvalidInput, match="is larger than"):
            read_bytes("a.zip", pack(b"0" * 100_001))

    def test_members_count_together(self):
        with pytest.raises(InvalidInput) as refused:
            read_bytes("a.zip", packed(("a.txt", b"0" * 60_000), ("b.txt", b"0" * 60_000)))
        assert [fault.file for fault in refused.value.faults] == ["a.zip/b.txt"]


@pytest.mark.parametrize("content", [SOUND, TEXT, gzip.compress(reads(), mtime=0)])
def test_any_damaged_byte_is_read_or_refused(content):
    rng = random.Random(3)
    for _ in range(400):
        changed = bytearray(content)
        changed[rng.randrange(len(changed))] = rng.randrange(256)
        try:
            read_bytes("reads.zip", bytes(changed))
        except InvalidInput as refused:
            assert str(refused).startswith("reads.zip")  # noqa: PT017 - either outcome is right
