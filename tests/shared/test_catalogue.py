"""A catalogue with mistakes is refused in one line that names the field."""

import pytest

from shared import catalogue
from shared.errors import InvalidInput

FUNCTION = {
    "description": "Counts", "timeout_seconds": 60, "memory_mb": 256, "requirements": ["base"], "services": ["sqs"],
    "queue": {"batch_size": 1, "concurrency": 2},
}  # fmt: skip


def content(**function):
    return {
        "runtime": {"python": "python3.13", "architecture": "arm64"},
        "functions": {"site-audit": function},
        "run_types": {},
        "state_machines": [{"step": "bua", "account": "ANSTEAD", "description": "All"}],
    }


def test_a_function_with_a_queue_is_all_it_takes():
    queue = catalogue.parse(content(**FUNCTION)).functions["site-audit"].queue
    assert queue is not None
    assert (queue.batch_size, queue.concurrency) == (1, 2)


def test_a_misspelt_field_is_named():
    misspelt = {("timeout" if name == "timeout_seconds" else name): value for name, value in FUNCTION.items()}
    with pytest.raises(InvalidInput) as refused:
        catalogue.parse(content(**misspelt))
    assert str(refused.value) == (
        "catalogue.yaml: functions.site-audit.timeout_seconds: Field required; "
        "functions.site-audit.timeout: Extra inputs are not permitted"
    )


def test_a_queue_without_its_batch_size_is_named():
    with pytest.raises(InvalidInput, match=r"functions\.site-audit\.queue\.batch_size: Field required$"):
        catalogue.parse(content(**FUNCTION | {"queue": {"concurrency": 2}}))
