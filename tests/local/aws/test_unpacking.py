"""Workers of one function that unpack its zip at the same time, into a cache that is empty."""

import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor

from local.aws.patches import _UnpackedOnce

WORKERS = 4
FILES = {f"package/module_{number}.py": f"number = {number}\n" * 50 for number in range(100)}


def test_workers_that_unpack_at_once_all_find_every_file(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_UNPACKED", str(tmp_path / "unpacked"))
    (tmp_path / "unpacked" / "files").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "function.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
    together = threading.Barrier(WORKERS)

    def unpack(number):
        code = tmp_path / f"code-{number}"
        code.mkdir()
        together.wait()
        with _UnpackedOnce(tmp_path / "function.zip") as archive:
            archive.extractall(code)
        return {path.relative_to(code.resolve()).as_posix(): path.read_text() for path in code.resolve().rglob("*.py")}

    with ThreadPoolExecutor(WORKERS) as pool:
        assert list(pool.map(unpack, range(WORKERS))) == [FILES] * WORKERS
    assert [path.name for path in (tmp_path / "unpacked").iterdir() if "unpacking" in path.name] == []
