"""The stack starts beside the making of the demo, and ends with it whenever that is."""

import threading
from pathlib import Path

import pytest

from local import run
from shared.errors import InvalidInput


class Stack:
    """Notes what is done with it."""

    def __init__(self, _directory):
        self.done = []
        self.stopped = threading.Event()
        Stack.last = self

    def __enter__(self):
        self.done.append("started")
        return self

    def stop(self):
        self.done.append("stopped")
        self.stopped.set()


@pytest.fixture(autouse=True)
def packaged(monkeypatch):
    monkeypatch.setattr(run, "LocalStack", Stack)
    monkeypatch.setattr(run.zips, "build", lambda _target: None)


def test_the_stack_is_stopped_at_the_end():
    with run._starting(Path("anywhere")) as started:
        assert started().done == ["started"]
    assert Stack.last.done[:2] == ["started", "stopped"]


def test_a_body_that_fails_starts_no_stack_any_more(monkeypatch):
    monkeypatch.setattr(run.zips, "build", lambda _target: Stack.last.stopped.wait())  # the functions take their time
    with pytest.raises(InvalidInput, match="line 3"), run._starting(Path("anywhere")):
        raise InvalidInput("accounts.csv, line 3")
    assert "started" not in Stack.last.done


def test_a_stack_that_starts_too_late_is_stopped_too(monkeypatch):
    begun = threading.Event()

    def start(stack):
        begun.set()
        stack.stopped.wait()  # it starts after it was told to stop
        stack.done.append("started")
        return stack

    monkeypatch.setattr(Stack, "__enter__", start)
    with run._starting(Path("anywhere")):
        begun.wait()
    assert Stack.last.done == ["stopped", "started", "stopped"]


def test_why_it_did_not_start_is_what_the_waiting_learn(monkeypatch):
    def fail(_target):
        raise InvalidInput("no package index")

    monkeypatch.setattr(run.zips, "build", fail)
    with pytest.raises(InvalidInput, match="no package index"), run._starting(Path("anywhere")) as started:
        started()
