"""The zips: same bytes every time, only what a function needs, for the platform that they are for."""

import hashlib
import json
import subprocess
import sys
import zipfile

import pytest
import yaml

from artifacts import zips
from shared.paths import ROOT

CATALOGUE = yaml.safe_load((ROOT / "catalogue.yaml").read_text())
FUNCTIONS = sorted(CATALOGUE["functions"])

# Run with -I -S: neither the environment nor site-packages of the tests' own Python are seen.
PROBE = """
import importlib, json, os, sys
sys.path[:] = [sys.argv[1]] + [p for p in sys.path if "-packages" not in p]
os.environ.update(json.loads(sys.argv[3]))
module = importlib.import_module(sys.argv[2])
assert callable(module.lambda_handler), "no handler"
import boto3
for service in sys.argv[4:]:
    boto3.client(service, region_name="ap-southeast-2", aws_access_key_id="x", aws_secret_access_key="x")
outside = sorted(n for n, m in sys.modules.items()
                 if "-packages" in (getattr(m, "__file__", None) or "") and not m.__file__.startswith(sys.argv[1]))
assert not outside, outside
foreign = sorted(n for n in sys.modules if n == "local" or n.startswith("local."))
assert not foreign, foreign
"""


@pytest.fixture(scope="session")
def lambda_zips():
    return zips.build(zips.lambda_target())


def checksums(paths):
    return {key: hashlib.sha256(path.read_bytes()).hexdigest() for key, path in paths.items()}


def test_one_zip_per_function_and_no_other(lambda_zips):
    expected = [f"lambda-bua-{key}.zip" for key in FUNCTIONS]
    assert sorted(path.name for path in (ROOT / "build" / "lambdas").glob("*.zip")) == sorted(expected)
    assert sorted(lambda_zips) == FUNCTIONS


def test_two_builds_have_the_same_bytes(lambda_zips):
    before = checksums(lambda_zips)
    assert checksums(zips.build(zips.lambda_target())) == before


def test_a_build_from_nothing_has_the_same_bytes(lambda_zips, tmp_path, monkeypatch):
    """Installed again into another place: no clock, path or order of the file system is in the bytes."""
    monkeypatch.setattr(zips, "BUILD", tmp_path)
    fresh = zips._build_function(zips.lambda_target(), "notify", zips.catalogue.load().functions["notify"])
    assert hashlib.sha256(fresh.read_bytes()).hexdigest() == checksums(lambda_zips)["notify"]


@pytest.mark.parametrize("key", FUNCTIONS)
def test_lambda_zip_holds_binaries_of_the_target_only(lambda_zips, key):
    with zipfile.ZipFile(lambda_zips[key]) as archive:
        binaries = [name for name in archive.namelist() if ".so" in name.rsplit("/", 1)[-1]]
        assert binaries, "pydantic-core at least is a binary"
        for name in binaries:
            # ELF header: e_machine at offset 18 is 0xB7 on AArch64.
            assert archive.read(name)[18:20] == b"\xb7\x00", name
        for name in (n for n in binaries if "cpython" in n):
            assert "cpython-313-aarch64" in name


@pytest.mark.parametrize("key", FUNCTIONS)
def test_lambda_zip_holds_only_what_the_function_needs(lambda_zips, key):
    function = CATALOGUE["functions"][key]
    with zipfile.ZipFile(lambda_zips[key]) as archive:
        names = archive.namelist()
        infos = archive.infolist()
    assert len(names) == len(set(names))
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert not [name for name in names if name.endswith(".pyc") or "/tests/" in name or name.startswith("local/")]
    handlers = {name.split("/")[1] for name in names if name.startswith("lambdas/") and name.count("/") > 1}
    assert handlers == {key.replace("-", "_")}
    models = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert models == {*function["services"], "xray"}
    assert ("psycopg2/__init__.py" in names) == ("database" in function["requirements"])
    # matplotlib, which draws the report's pictures, brings numpy along
    assert ("numpy/__init__.py" in names) == bool({"numeric", "report"} & set(function["requirements"]))


@pytest.mark.parametrize("key", FUNCTIONS)
def test_host_zip_imports_in_a_clean_interpreter(host_zips, tmp_path, key):
    with zipfile.ZipFile(host_zips[key]) as archive:
        archive.extractall(tmp_path)
    handler = f"lambdas.{key.replace('-', '_')}.handler"
    environment = json.dumps({"POWERTOOLS_TRACE_DISABLED": "1", "AWS_DEFAULT_REGION": "ap-southeast-2"})
    command = [sys.executable, "-I", "-S", "-c", PROBE, str(tmp_path), handler, environment]
    result = subprocess.run(
        [*command, *CATALOGUE["functions"][key]["services"]], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("key", FUNCTIONS)
def test_a_zip_is_not_larger_than_lambda_allows(lambda_zips, key):
    """250 MB unzipped; 50 MB in a request, and what is larger goes by way of the bucket (terraform/anstead/functions.tf)."""
    with zipfile.ZipFile(lambda_zips[key]) as archive:
        assert sum(entry.file_size for entry in archive.infolist()) < 250 * 1024 * 1024
    is_uploaded = "report" in CATALOGUE["functions"][key]["requirements"]
    assert is_uploaded or lambda_zips[key].stat().st_size < 50_000_000


def test_what_a_module_reads_from_its_own_folder_comes_along(lambda_zips):
    with zipfile.ZipFile(lambda_zips["report"]) as archive:
        found = {name for name in archive.namelist() if name.startswith("shared/report/") and not name.endswith(".py")}
    assert found == {"shared/report/page.html.j2", "shared/report/finance.yaml"}


def test_locks_pin_what_the_development_lock_pins():
    def pins(path):
        return {
            line.split(" ")[0] for line in path.read_text().splitlines() if "==" in line and not line.startswith("#")
        }

    developed = pins(ROOT / "requirements-dev.lock")
    for lock in (ROOT / "requirements").glob("lambda-*.lock"):
        assert pins(lock) <= developed, lock.name
        assert "://" not in "".join(lock.read_text().splitlines()[2:]), "an index host"


def test_modules_that_a_function_imports_anywhere_are_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "SOURCE", tmp_path)
    (tmp_path / "shared").mkdir()
    (tmp_path / "lambdas" / "one").mkdir(parents=True)
    (tmp_path / "lambdas" / "one" / "handler.py").write_text("def f():\n    from shared import a\n")
    (tmp_path / "shared" / "a.py").write_text("import json\nimport shared.b\n")
    (tmp_path / "shared" / "b.py").write_text("")
    (tmp_path / "shared" / "unused.py").write_text("")
    found = {path.relative_to(tmp_path).as_posix() for path in zips.imported_modules(["lambdas.one.handler"])}
    assert found == {"lambdas/one/handler.py", "shared/a.py", "shared/b.py"}


def test_function_without_a_handler_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(zips, "SOURCE", tmp_path)
    with pytest.raises(zips.PackagingFailed, match=r"notify has no module lambdas\.notify\.handler"):
        list(zips._function_files("notify", zips.catalogue.load().functions["notify"]))
