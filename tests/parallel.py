"""`pytest -n auto`: what shares a server or a stack stays in one process, and the longest begins first."""

import pytest

# One stack serves a whole folder, and the tests of a month go on from each other's state.
ONE_STACK = ("tests/pipeline/", "tests/stack/")
LONGEST = ("tests/terraform/", "tests/pipeline/", "tests/stack/", "tests/artifacts/")


def work_unit(nodeid: str) -> str:
    """The tests that one process runs one after the other: a file's, or a folder's."""
    return next((folder for folder in ONE_STACK if nodeid.startswith(folder)), nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class ByWorkUnit(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return work_unit(nodeid)

    config.option.loadscopereorder = False  # the order is that of the collection
    return ByWorkUnit(config, log)


def pytest_collection_modifyitems(config, items):
    def rank(item):
        return next((rank for rank, folder in enumerate(LONGEST) if item.nodeid.startswith(folder)), len(LONGEST))

    if hasattr(config, "workerinput"):
        items.sort(key=rank)
