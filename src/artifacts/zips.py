"""`python -m artifacts.zips --target lambda|host`: a zip per function, with only what it needs, the same bytes every time.

The target `lambda` is what is deployed: wheels for the catalogue's runtime and architecture. `host` holds the same
sources and the same pins for the Python that runs this, since a wheel with binaries fits only one Python and platform.
Its bytecode is compiled in advance, which halves a cold start on a laptop.

Dependencies are installed and compressed once per lock file and target; a zip is that archive with the function's own
few files added, so a rebuild takes seconds.
"""

import argparse
import ast
import hashlib
import importlib.util
import marshal
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared import catalogue
from shared.catalogue import Function
from shared.errors import BuaError, PermanentError
from shared.paths import ROOT

SOURCE = ROOT / "src"
BUILD = ROOT / "build"
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
# Amazon Linux 2023, which runs python3.12 and later, has glibc 2.34: wheels built for 2.28 fit.
MANYLINUX = "manylinux_2_28"

# An archive's bytes must not depend on the clock, the umask or the file system's order.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644
# aws-xray-sdk, which powertools' tracer imports, makes a client of X-Ray as it is imported.
_SERVICES_OF_LIBRARIES = ("xray",)
_DROPPED_FOLDERS = {"tests", "__pycache__", "bin", "include"}
_DROPPED_FILES = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", ".lock", ".gitignore"}


class PackagingFailed(PermanentError):  # noqa: N818 - named like its siblings
    """A zip could not be built; the message names it and the reason."""


@dataclass(frozen=True)
class Target:
    """What a zip is built for: its folder and uv's arguments."""

    name: str
    directory: Path
    uv_arguments: tuple[str, ...]
    cache_key: str
    bytecode: bool


def lambda_target() -> Target:
    """The catalogue's runtime and architecture."""
    runtime = catalogue.load().runtime
    version = runtime.python.removeprefix("python")
    platform = f"{ARCHITECTURES[runtime.architecture]}-{MANYLINUX}"
    arguments = ("--python-platform", platform, "--python-version", version)
    return Target("lambda", BUILD / "lambdas", arguments, f"{platform}-{version}", bytecode=False)


def host_target() -> Target:
    """The Python that runs this."""
    tag = f"{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
    return Target("host", BUILD / "host", ("--python", sys.executable), tag, bytecode=True)


TARGETS = {"lambda": lambda_target, "host": host_target}


def zip_name(function: str) -> str:
    """File name of a function's zip."""
    return f"lambda-bua-{function}.zip"


def build(target: Target) -> dict[str, Path]:
    """Build the zip of every function in the catalogue; returns their paths. Zips of other functions are removed."""
    functions = catalogue.load().functions
    for stale in set(target.directory.glob("*.zip")) - {target.directory / zip_name(key) for key in functions}:
        stale.unlink()
    return {key: _build_function(target, key, function) for key, function in functions.items()}


def _build_function(target: Target, key: str, function: Function) -> Path:
    target.directory.mkdir(parents=True, exist_ok=True)
    destination = target.directory / zip_name(key)
    lock = lock_file(function)
    tree = _installed_tree(target, lock)
    with _replacing(destination) as temporary:
        shutil.copyfile(_dependencies_archive(target, tree), temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            for name, content in sorted(
                {**_service_models(tree, function), **dict(_function_files(key, function))}.items()
            ):
                _write(archive, name, content)
                if target.bytecode and name.endswith(".py"):
                    _write(archive, importlib.util.cache_from_source(name), _bytecode(name, content))
    return destination


class _replacing:  # noqa: N801 - a context manager, used like a function
    """A temporary file beside `destination` that replaces it if the with-block succeeds."""

    def __init__(self, destination: Path) -> None:
        self._destination = destination
        self._temporary = destination.with_name(f".{destination.name}.{os.getpid()}")

    def __enter__(self) -> Path:
        return self._temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._temporary.replace(self._destination)
        self._temporary.unlink(missing_ok=True)


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _TIMESTAMP)
    entry.external_attr = (_FILE_MODE | (0o111 if ".so" in name else 0)) << 16
    entry.create_system = 3  # Unix, whatever this runs on
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(".gz") else zipfile.ZIP_DEFLATED
    archive.writestr(entry, content, compresslevel=6)


# --- the function's own files


def _function_files(key: str, function: Function) -> Iterator[tuple[str, bytes]]:
    handler = f"lambdas.{key.replace('-', '_')}.handler"
    if _module_file(handler) is None:
        raise PackagingFailed(f"function {key} has no module {handler}")
    modules = imported_modules([handler])
    for path in sorted(modules | _data_files(modules)):
        yield path.relative_to(SOURCE).as_posix(), path.read_bytes()
    yield "catalogue.yaml", (ROOT / "catalogue.yaml").read_bytes()
    for pattern in function.include:
        found = sorted(path for path in _expand(pattern) if path.is_file())
        if not found:
            raise PackagingFailed(f"catalogue.yaml: function {key} includes {pattern}, which matches no file")
        for path in found:
            yield path.relative_to(ROOT).as_posix(), path.read_bytes()


def _data_files(modules: Iterable[Path]) -> set[Path]:
    """What modules read from their own folders: templates, defaults."""
    folders = {path.parent for path in modules}
    return {path for folder in folders for path in folder.iterdir() if path.is_file() and path.suffix != ".py"}


def _expand(pattern: str) -> Iterable[Path]:
    return (ROOT / pattern).rglob("*") if (ROOT / pattern).is_dir() else ROOT.glob(pattern)


def imported_modules(names: Iterable[str]) -> set[Path]:
    """The files of src/ that these modules are, and import, directly or not, anywhere in their code."""
    found: set[Path] = set()
    waiting = list(names)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        path = _module_file(name)
        if path is None:
            continue
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        if path.is_file():
            found.add(path)
            waiting += _imports(path)
    return found


def _module_file(name: str) -> Path | None:
    """The file of one of our modules, or the folder of a package without __init__.py; None if it is not ours."""
    base = SOURCE.joinpath(*name.split("."))
    candidates = (base.with_name(base.name + ".py"), base / "__init__.py", base)
    return next((path for path in candidates if path.exists()), None)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise PackagingFailed(f"{path}:{node.lineno}: relative imports are not followed, import by full name")


def _bytecode(name: str, content: bytes) -> bytes:
    """A module's bytecode as PEP 552 defines it, unchecked: a zip does not keep the time of the source."""
    unchecked = (1).to_bytes(4, "little")
    code = marshal.dumps(compile(content, name, "exec", dont_inherit=True))
    return importlib.util.MAGIC_NUMBER + unchecked + importlib.util.source_hash(content) + code


# --- its dependencies


def lock_file(function: Function) -> Path:
    """The lock of a function's groups of requirements."""
    lock = ROOT / "requirements" / f"lambda-{'-'.join(function.requirements)}.lock"
    if not lock.is_file():
        known = sorted(
            path.stem.removeprefix("lambda-").replace("-", ", ") for path in lock.parent.glob("lambda-*.lock")
        )
        raise PackagingFailed(
            f"requirements [{', '.join(function.requirements)}] have no lock in requirements/; "
            f"use one of [{'], ['.join(known)}] or add one to `make lock`"
        )
    return lock


def _dependencies_archive(target: Target, tree: Path) -> Path:
    """What every function with this lock has: its dependencies, but for the models of the AWS services."""
    archive_path = tree.with_suffix(".zip")
    if not archive_path.is_file():
        with _replacing(archive_path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for name, path in _tree_files(tree):
                if not _is_service_model(name):
                    _write(archive, name.as_posix(), path.read_bytes())
                    if target.bytecode and path.suffix == ".py":
                        compiled = _bytecode(name.as_posix(), path.read_bytes())
                        _write(archive, importlib.util.cache_from_source(name.as_posix()), compiled)
    return archive_path


def _service_models(tree: Path, function: Function) -> dict[str, bytes]:
    """The data that boto3 and botocore need to call the function's services."""
    models = {}
    for service in (*function.services, *_SERVICES_OF_LIBRARIES):
        if not (tree / "botocore" / "data" / service).is_dir():
            raise PackagingFailed(f"catalogue.yaml: botocore has no service {service}")
        for library in ("botocore", "boto3"):
            for path in (tree / library / "data" / service).rglob("*.json*"):
                models[path.relative_to(tree).as_posix()] = path.read_bytes()
    return models


def _tree_files(tree: Path) -> Iterator[tuple[Path, Path]]:
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree)
        if path.is_file() and not _DROPPED_FOLDERS.intersection(name.parts[:-1]) and name.name not in _DROPPED_FILES:
            yield name, path


def _is_service_model(name: Path) -> bool:
    return name.parts[:2] in (("botocore", "data"), ("boto3", "data")) and len(name.parts) > 3


def _installed_tree(target: Target, lock: Path) -> Path:
    # This module decides what is dropped and how it is compressed, so it is part of the key.
    key = hashlib.sha256(b"".join([target.cache_key.encode(), Path(__file__).read_bytes(), lock.read_bytes()]))
    tree = BUILD / "cache" / f"{target.name}-{key.hexdigest()[:20]}"
    if tree.is_dir():
        return tree
    tree.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix="installing-", dir=tree.parent))
    try:
        _install(target, lock, staging)
        staging.rename(tree)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return tree


def _install(target: Target, lock: Path, directory: Path) -> None:
    command = [
        sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:",
        "--no-compile-bytecode", "--target", str(directory), *target.uv_arguments, "--requirements", str(lock),
    ]  # fmt: skip
    result = subprocess.run(command, env=os.environ | _index(), capture_output=True, text=True, check=False)
    if result.returncode:
        raise PackagingFailed(f"uv could not install {lock.name} for {target.name}: {result.stderr.strip()}")


def _index() -> dict[str, str]:
    """The package index that pip is configured with, for uv, which reads only settings of its own."""
    if any(name.startswith(("UV_INDEX", "UV_DEFAULT_INDEX", "UV_NO_CONFIG")) for name in os.environ):
        return {}
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    )
    index = os.environ.get("PIP_INDEX_URL") or (pip.stdout.strip() if pip.returncode == 0 else "")
    return {"UV_DEFAULT_INDEX": index} if index else {}


def main() -> int:
    """Build, and print a line per zip in the format of sha256sum."""
    parser = argparse.ArgumentParser(prog="python -m artifacts.zips", description="Build a zip per function.")
    parser.add_argument("--target", choices=sorted(TARGETS), default="lambda")
    arguments = parser.parse_args()
    try:
        built = build(TARGETS[arguments.target]())
    except BuaError as error:
        print(error, file=sys.stderr)
        return 1
    for path in built.values():
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
