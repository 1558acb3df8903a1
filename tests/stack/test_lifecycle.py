"""A stack ends with the process that started it, however that ends, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from local.aws import patching
from local.stack import LocalStack, StackFailed

SOURCE = Path(__file__).resolve().parents[2] / "src"
HOLD = """
import signal, sys, time
from pathlib import Path
from local.stack import LocalStack
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell's children start deaf to it
stack = LocalStack(Path(sys.argv[1]))
stack._reserve_directory()
stack._start()
try:
    stack.client("EARL", "rds").create_db_instance(
        DBInstanceIdentifier="x", Engine="postgres", DBInstanceClass="db.t3.micro", DBName="core",
        MasterUsername="core_admin", MasterUserPassword="password", AllocatedStorage=20)
    print(stack.process_id, flush=True)
    time.sleep(600)
finally:
    stack.stop()
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_process_that_started_it(tmp_path, ending):
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", HOLD, str(tmp_path / "stack")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as holder:
        emulator = psutil.Process(int(holder.stdout.readline()))
        started = [emulator, *emulator.children(recursive=True)]
        assert any("postgres" in process.name() for process in started)
        databases = (tmp_path / "stack" / "databases").resolve()
        holder.send_signal(ending)
        holder.wait()
    _, alive = psutil.wait_procs(started, timeout=20)
    assert alive == []
    assert not databases.exists()


def test_databases_of_a_killed_emulator_end_with_the_stack(tmp_path):
    """The emulator itself dies in a way it cannot notice; what it started is in its process group."""
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", HOLD, str(tmp_path / "stack")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as holder:
        emulator = psutil.Process(int(holder.stdout.readline()))
        started = [emulator, *emulator.children(recursive=True)]
        emulator.kill()
        time.sleep(0.2)
        databases = (tmp_path / "stack" / "databases").resolve()
        assert list(databases.iterdir())
        holder.send_signal(signal.SIGINT)
        holder.wait()
    _, alive = psutil.wait_procs(started, timeout=20)
    assert alive == []
    assert not databases.exists()


def test_an_emulator_that_does_not_start_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(StackFailed, match=r"emulator\.log"), LocalStack(tmp_path):
        pass


def test_another_version_of_the_emulator_is_refused(monkeypatch):
    monkeypatch.setattr(patching.metadata, "version", lambda _: "9.9.9")
    with pytest.raises(patching.EmulatorChanged, match=r"9\.9\.9 is installed"):
        patching.require_version()


def test_what_is_not_there_cannot_be_replaced():
    with pytest.raises(patching.EmulatorChanged, match="no function vanished"):
        patching.replaces(patching, "vanished")
