"""The stores under one name, for tests of the shared contract; a small disk."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.adapters.clock import Clock, utc_now
from core.adapters.postgres import PostgresStore
from core.adapters.sqlite import SqliteStore
from core.ports.store import Store
from tests.fakes import FakeStore

SMALL_DISK_MIB = 32


@pytest.fixture(params=["sqlite", "postgres", "fake"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    is_fake = request.param == "fake"
    opened = FakeStore() if is_fake else open_store(request.param, request, tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Yield a store on a database, which threads can share."""
    opened = open_store(request.param, request, tmp_path)
    yield opened
    opened.close()


def open_store(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, now: Clock = utc_now
) -> Store:
    if name == "sqlite":
        return SqliteStore(tmp_path, now=now)
    return PostgresStore(request.getfixturevalue("postgres_url"), tmp_path, now=now)


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def postgres_store(postgres_url: str, tmp_path: Path) -> Iterator[PostgresStore]:
    opened = PostgresStore(postgres_url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small disk, which requires root (`CAP_SYS_ADMIN`)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MIB}m", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"No file system can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
