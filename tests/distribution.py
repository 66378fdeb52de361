"""Distribution of the tests over processes by pytest-xdist: `make test` uses all cores.

A process runs all tests of a file, which share its fixtures. The folders of long tests come first,
so that no process is left with one at the end. There are more processes than cores, because many
tests wait for servers that they start, or for a deadline.
"""

import os

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.postgres import missing_for_root

_LONG = (
    "tests/e2e/",
    "tests/crash/",
    "tests/cluster/",
    "tests/unit/core/indexing/checkpoints/",  # the first to compile the kernels of each code path
    "tests/unit/core/indexing/vectors/",
)
_MAX_PROCESSES = 4
"""Each has a Temporal and a PostgreSQL server of its own, of some 300 MB together."""

_TOGETHER = "tests/e2e/contract"
"""A folder whose last test compares all calls of the others."""


class FileScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """The files in the order of the collection, each on one process."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return _TOGETHER if path.startswith(f"{_TOGETHER}/") else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FileScheduling:
    config.option.loadscopereorder = False  # it would begin with the files of most tests
    return FileScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of processes for `-n auto`: three for two cores."""
    cores = os.cpu_count() or 1
    return min(_MAX_PROCESSES, cores + (cores + 1) // 2)


def pytest_configure(config: pytest.Config) -> None:
    """End here, with one line, what would be an error in each test of a process."""
    if config.getoption("numprocesses", None) and (missing := missing_for_root()):
        pytest.exit(missing, returncode=1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the long tests to the beginning; the order is otherwise the random one."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))
