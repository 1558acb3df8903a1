"""Corrects ministack 1.5.33 where it differs from AWS and the pipeline depends on it."""

# ruff: noqa: SLF001 - ministack's internals are what is patched here

import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime  # type: ignore[import-untyped]
from ministack.core.concurrency import esm_wake, spawn_background  # type: ignore[import-untyped]
from ministack.services import lambda_svc, sqs, stepfunctions  # type: ignore[import-untyped]

from local.aws.patching import EmulatorChanged, replaces

# Functions that no stack has started for so long were changed since.
_UNPACKED_SECONDS = 86400.0

# When a function raises, the worker continues, as on AWS, and reports what was raised. ministack would end the process,
# and every wait for the platform (an error that is retried) would need a cold start.
_WORKER_ERROR = '{"status": "error", "error": str(e), "trace"'
_WORKER_RAISED = '{"status": "ok", "raised": type(e).__name__, "error": str(e), "trace"'

# A function sees its zip and the standard library, not what happens to be installed beside the emulator; and it has a
# /tmp of its own.
_WORKER_PATH = """
import os, sys
os.environ["TMPDIR"] = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [_p for _p in sys.path if _p.startswith(sys.base_prefix) and "-packages" not in _p]
"""


def _raised_errors_by_name() -> None:
    """Report an exception of a function under its class name, which Retry and Catch match on.

    ministack reports every one of them as Runtime.HandlerError.
    """
    if lambda_runtime._PYTHON_WORKER_SCRIPT.count(_WORKER_ERROR) != 1:
        raise EmulatorChanged(
            "this version of ministack's Python worker reports errors in another way: update local.aws.patches"
        )
    script = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(_WORKER_ERROR, _WORKER_RAISED)
    lambda_runtime._PYTHON_WORKER_SCRIPT = _WORKER_PATH + script
    last = threading.local()
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    @replaces(lambda_runtime.Worker, "invoke")
    def _invoke(self: Any, *arguments: Any, **keywords: Any) -> dict[str, Any]:
        result: dict[str, Any] = invoke(self, *arguments, **keywords)
        last.raised = result.pop("raised", None)
        if last.raised:
            result["status"] = "error"
        return result

    @replaces(lambda_svc, "_execute_function_warm")
    def _execute(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        last.raised = None
        result: dict[str, Any] = execute(function, event, request_id)
        if result.get("error") and last.raised:
            result["body"]["errorType"] = last.raised
        return result


class _UnpackedOnce(zipfile.ZipFile):
    """A function's zip that is unpacked once for all its workers, now and in later runs.

    ministack unpacks it for every worker: thousands of small files each time, half of the emulator's work. Files that
    functions have in common, which are most, are there once: a function's folder consists of links to them.
    """

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        del members, pwd  # ministack uses neither
        unpacked = _unpacked_directory() / hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()[:20]
        if not unpacked.is_dir():
            staging = Path(tempfile.mkdtemp(prefix="unpacking-", dir=unpacked.parent))
            try:
                for entry in self.infolist():
                    self._link(entry, staging / entry.filename)
                with suppress(OSError):  # another worker was faster
                    staging.rename(unpacked)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        os.utime(unpacked)
        Path(path).rmdir()
        Path(path).symlink_to(unpacked, target_is_directory=True)

    def _link(self, entry: zipfile.ZipInfo, target: Path) -> None:
        stored = _unpacked_directory() / "files" / f"{entry.CRC:08x}-{entry.file_size}-{target.name}"
        if not stored.is_file():
            part = stored.with_name(f"{stored.name}.{threading.get_ident()}")
            part.write_bytes(self.read(entry))
            # Never replace another worker's file: someone may be linking to it at this moment.
            with suppress(FileExistsError):
                stored.hardlink_to(part)
            part.unlink()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(stored)


def _unpacked_directory() -> Path:
    return Path(os.environ["LOCAL_UNPACKED"])


def _share_unpacked_zips() -> None:
    if lambda_runtime.zipfile is not zipfile:
        raise EmulatorChanged(
            "this version of ministack's Lambda runtime unpacks functions in another way: update local.aws.patches"
        )
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": _UnpackedOnce})
    (_unpacked_directory() / "files").mkdir(parents=True, exist_ok=True)
    for folder in _unpacked_directory().iterdir():
        if folder.name != "files" and folder.stat().st_mtime < time.time() - _UNPACKED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
    for file in (_unpacked_directory() / "files").iterdir():
        if file.stat().st_nlink == 1 and file.stat().st_mtime < time.time() - _UNPACKED_SECONDS:
            file.unlink(missing_ok=True)  # no function uses it any more


def _nested_failure_with_cause() -> None:
    """A nested execution fails with States.TaskFailed, with the execution's description as its cause."""

    @replaces(stepfunctions, "_nested_execution_failure")
    def _failure(payload: dict[str, Any]) -> tuple[str, str]:
        names = {"executionArn": "ExecutionArn", "status": "Status", "error": "Error", "cause": "Cause"}
        return "States.TaskFailed", json.dumps({new: payload.get(old, "") for old, new in names.items()})


# The names that Step Functions gives to errors of RDS are those of the Java SDK, not those of the API.
_RDS_ERRORS = {
    "DBSnapshotAlreadyExists": "DbSnapshotAlreadyExistsException",
    "DBSnapshotNotFound": "DbSnapshotNotFoundException",
    "InvalidDBSnapshotState": "InvalidDbSnapshotStateException",
    "DBInstanceNotFound": "DbInstanceNotFoundException",
    "KMSKeyNotAccessibleFault": "KmsKeyNotAccessibleException",
}


def _names_of_the_rds_integration() -> None:
    """Give errors the names that AWS gives them, and pass KmsKeyId on as it is.

    ministack takes Kms for one of RDS's capitals (KMSKeyId), which RDS does not know.
    """
    stepfunctions._QUERY_PARAM_NAME_OVERRIDES["rds", "CopyDBSnapshot"] = {"KmsKeyId": "KmsKeyId"}
    stepfunctions._AWS_SDK_ERROR_CODE_OVERRIDES["rds"].update(_RDS_ERRORS)


def _heartbeats_of_tasks() -> None:
    """End a task that waits for its token with States.HeartbeatTimeout when no heartbeat arrives; ministack never does.

    The timeout passes as fast as every other wait, but is LOCAL_HEARTBEAT_SECONDS at least.
    """
    invoke, least = stepfunctions._invoke_with_callback, float(os.environ["LOCAL_HEARTBEAT_SECONDS"])

    @replaces(stepfunctions, "_invoke_with_callback")
    def _invoke(resource: str, arguments: Any, token: str, state: dict[str, Any]) -> Any:
        if seconds := state.get("HeartbeatSeconds"):
            allowed = max(seconds * stepfunctions._SFN_WAIT_SCALE, least)
            spawn_background(_expect_heartbeats, token, allowed, thread_name="heartbeats")
        return invoke(resource, arguments, token, state)


def _expect_heartbeats(token: str, allowed: float) -> None:
    last, since = None, time.monotonic()
    while time.monotonic() - since < allowed:
        time.sleep(min(allowed / 10, 1.0))
        task = stepfunctions._task_tokens.get(token)
        if task and task["heartbeat"] != last:
            last, since = task["heartbeat"], time.monotonic()
    if task:
        task["error"] = {"Error": "States.HeartbeatTimeout", "Cause": f"no heartbeat for {allowed:.0f} seconds"}
        task["event"].set()


def _deletion_that_may_be_repeated() -> None:
    """Let the deletion of a missing state machine succeed, as on AWS: in ministack an SDK's retry would fail."""
    delete = stepfunctions._delete_state_machine

    @replaces(stepfunctions, "_delete_state_machine")
    def _delete(data: dict[str, Any]) -> Any:
        if data["stateMachineArn"] not in stepfunctions._state_machines:
            return stepfunctions.json_response({})
        return delete(data)


def _delayed_messages_on_time() -> None:
    """Hand a delayed message to its function when it is due. ministack's poller sees it up to a second later."""
    send = sqs._act_send_message

    @replaces(sqs, "_act_send_message")
    def _send(data: dict[str, Any], queue_url: str) -> dict[str, Any]:
        sent: dict[str, Any] = send(data, queue_url)
        if delay := int(data.get("DelaySeconds") or 0):
            due = threading.Timer(delay, esm_wake.set)
            due.daemon = True
            due.start()
        return sent

    sqs._HANDLERS["SendMessage"] = _send


def install() -> None:
    """Correct Lambda, SQS and Step Functions."""
    _share_unpacked_zips()
    _names_of_the_rds_integration()
    _heartbeats_of_tasks()
    _raised_errors_by_name()
    _nested_failure_with_cause()
    _deletion_that_may_be_repeated()
    _delayed_messages_on_time()
