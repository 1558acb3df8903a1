"""Damages small sound portfolios: the outcome must be a portfolio, or a refusal of the project's own.

`python -m tests.local.portfolio.fuzzing --count 100000` is the long run, on all cores. A case is its seed and number.
"""

import argparse
import gzip
import io
import os
import random
import shutil
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date
from multiprocessing import Pool
from pathlib import Path

from rich.progress import track

from local.portfolio.format import read_portfolio
from local.portfolio.records import Portfolio
from shared.errors import InvalidInput
from shared.metering.interval_store import decode_items

RUN_DATE = date(2026, 11, 1)
SOUND = Path(__file__).parents[2] / "data" / "portfolio"
TABLES = sorted(path.name for path in SOUND.glob("*.csv"))
BATCH = 200
MEMORY = Path("/dev/shm")  # thousands of small files are written

DAY = "300,20261001," + "0.5," * 48 + "A,,,20261002020000,"
VARYING = "300,20261002," + "0.25," * 48 + "V,,,20261003020000,"
NEM12 = "\n".join(
    [
        "100,NEM12,202611010000,MDP,RETAILER",
        "200,4103000001,E1B1Q1,E1,E1,N1,M2,KWH,30,20261201",
        *(DAY, VARYING, "400,1,20,A,,", "400,21,48,S14,55,Reading failed"),
        "500,N,1,20261004103000,1",
        "200,4103000001,E1B1Q1,B1,B1,N1,M2,WH,30,",
        "300,20261001," + "250.125," * 48 + "E57,,,20261002020000,20261003020000",
        "200,4103000001,E1B1Q1,Q1,Q1,N1,M2,KVARH,30,",
        DAY,
        "900",
        "",
    ]
).encode()
NEM13 = b"""100,NEM13,202611010000,MDP,RETAILER
250,QAAAVZZZZZ,11,01,11,11,M3,E,00100,20260701000000,A,,,00200,20261001000000,A,,,100,KWH,,20261002020000,
550,N,,A,
900
"""
NASTY = [
    *("", " ", "\t", "\x00", "\x1f", "\x85", "\u2028", "\ufeff", "\u00a0", "\u200b", "\U0010ffff", '"', "'", ",", ";", "\\", "\\."),
    *("\\N", "\r", "\n", "\r\n", '"a', 'a"b', "[/bold]", "{}", "%s", "=1+1", "../..", "NULL", "nan", "Infinity", "-inf", "1e5"),
    *("1E400", "0x10", "1_000", "1,000", "1.000,5", "0,5", "+1", "-1", "-0", "1.", ".5", ".", "-", "00", "1" * 40, "9" * 5000, "0" * 5000),
    *("0." + "1" * 40, "1234.560000000000000000", "2500.123456", "2147483647", "2147483648", "4294967295.999999", "9223372036854775808"),
    *("99999999999999999999", "1234567890123456", "\u0661\u0662", "\u00b2", "\uff11", "\uff25\uff11", "e1", "\u017f", "\u0130", "A" * 3000),
    *("0000-00-00", "2026-02-30", "9999-12-31", "0001-01-01", "20260230", "00000000", "99991231235959", "00010101000000", "24:00", "24:30"),
    *("true", "TRUE", "KWH", "MWH", "wh", "MJ", "V", "E1", "Q1", "res", "Gas", "100", "200", "300", "400", "900", "NEM13", "A" * 200_000),
]  # fmt: skip
NAMES = [
    "NEM12",
    "Accounts.csv",
    "october.csv",
    ".hidden",
    "READ ME.txt",
    "nem12.zip",
    "a\nb.csv",
    "\udcff.csv",
    "x" * 250,
    "CON",
]


def archive(compression: int, *members: tuple[str, bytes]) -> bytes:
    """Pack a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as into:
        for name, content in members:
            into.writestr(name, content)
    return packed.getvalue()


METER_FILES = {
    "reads.csv": NEM12,
    "basic.csv": NEM13,
    "utf16.csv": NEM12.decode().encode("utf-16"),
    "reads.csv.gz": gzip.compress(NEM12, mtime=0),
    "twice.csv.gz": gzip.compress(NEM12, mtime=0) * 2,
    "stored.zip": archive(zipfile.ZIP_STORED, ("reads.csv", NEM12)),
    "deflated.zip": archive(zipfile.ZIP_DEFLATED, ("a.csv", NEM12), ("__MACOSX/._a.csv", b"\0"), ("b/", b"")),
    "bzip2.zip": archive(zipfile.ZIP_BZIP2, ("reads.csv", NEM12)),
    "lzma.zip": archive(zipfile.ZIP_LZMA, ("reads.csv", NEM12)),
    "nested.zip": archive(zipfile.ZIP_DEFLATED, ("inner.zip", archive(zipfile.ZIP_STORED, ("reads.csv", NEM12)))),
}


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Damage bytes in one to three ways."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        content = rng.choice((_bytes, _cut, _insert, _field, _field, _field, _lines, _text_mode))(content, rng)
    return content


def _bytes(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 2, 8)) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(content: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return rng.choice((content[:start], content[end:], content[:start] + content[end:]))


def _insert(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice((rng.randbytes(rng.choice((1, 4, 64))), _nasty(rng))) + content[at:]


def _field(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    fields = lines[at].split(b",")
    fields[rng.randrange(len(fields))] = _nasty(rng)
    lines[at] = b",".join(fields)
    return b"\n".join(lines)


def _lines(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    change = rng.choice(("swap", "drop", "repeat"))
    if change == "swap":
        lines[one], lines[other] = lines[other], lines[one]
    elif change == "drop":
        del lines[one]
    else:
        lines.insert(other, lines[one])
    return b"\n".join(lines)


def _text_mode(content: bytes, rng: random.Random) -> bytes:
    return content.replace(
        *rng.choice(((b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\n", b"\r"), (b"\r", b""), (b",", b";")))
    )


def _nasty(rng: random.Random) -> bytes:
    return rng.choice(NASTY).encode("utf-8", "surrogatepass")


def spoil(folder: Path, rng: random.Random) -> tuple[str, Callable[[], object]]:
    """Damage one thing of a sound portfolio, which is laid out where it is not. Returns which, and how to mend it."""
    if not folder.exists():
        shutil.copytree(SOUND, folder)
        (folder / "nem12").mkdir()
    kind = rng.choice(("table", "table", "meter data", "meter data", "folder"))
    if kind == "table":
        path = folder / rng.choice(TABLES)
        sound = path.read_bytes()
        path.write_bytes(damaged(sound, rng))
        return path.name, lambda: path.write_bytes(sound)
    path = folder / "nem12" / rng.choice(sorted(METER_FILES))
    if kind == "meter data":
        path.write_bytes(damaged(METER_FILES[path.name], rng))
        return f"nem12/{path.name}", path.unlink
    path.write_bytes(METER_FILES[path.name])
    return _rearranged(folder, path, rng), lambda: shutil.rmtree(folder)


def _rearranged(folder: Path, meter_file: Path, rng: random.Random) -> str:
    victim = rng.choice([meter_file, meter_file.parent, *(folder / table for table in TABLES)])
    new = victim.with_name(rng.choice(NAMES))
    change = rng.choice(("rename", "link", "folder", "pipe", "empty"))
    if change == "rename":
        victim.rename(new)
    elif change == "link":
        new.symlink_to(rng.choice(("nowhere", new.name, "/dev/null", "/proc/self/mem")))
    elif change == "folder":
        new.mkdir(exist_ok=True)
    elif change == "pipe":
        os.mkfifo(new)
    else:
        new.write_bytes(b"")
    return f"{change} {victim.name!r} {new.name!r}"


def judge(folder: Path, seed: int, number: int) -> Portfolio | None:
    """Read a spoilt portfolio, None when it is refused. Any other error says which case it was."""
    spoilt, mend = spoil(folder, random.Random(f"{seed}:{number}"))
    try:
        portfolio = read_portfolio(folder, RUN_DATE)
        decode_items(portfolio.meter_data.items)
    except InvalidInput as refused:
        str(refused).encode()  # it can be printed
        return None
    except Exception as error:
        error.add_note(f"seed {seed}, number {number}: {spoilt}")
        raise
    finally:
        mend()
    return portfolio


def run(batch: tuple[int, int, int]) -> Counter[str]:
    """Judge the cases of a seed from one number to before another; count their outcomes."""
    seed, first, last = batch
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        for number in range(first, last):
            try:
                outcomes["taken" if judge(Path(place) / "portfolio", seed, number) else "refused"] += 1
            except Exception as error:  # noqa: BLE001 - to be counted, with all the others
                outcomes[f"{type(error).__name__}: {str(error)[:100]} ({error.__notes__[0]})"] += 1
    return outcomes


def main() -> int:
    """Run many cases; the exit status is 0 when each was taken or refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    batches = [(options.seed, first, min(first + BATCH, options.count)) for first in range(0, options.count, BATCH)]
    outcomes: Counter[str] = Counter()
    with Pool() as pool:
        for found in track(pool.imap_unordered(run, batches), "damaging", total=len(batches)):
            outcomes += found
    for outcome, count in outcomes.most_common(50):
        print(f"{count:8,} {outcome}")
    return 0 if set(outcomes) <= {"taken", "refused"} else 1


if __name__ == "__main__":
    sys.exit(main())
