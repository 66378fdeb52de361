"""Permissions: only the user may access Nalanda's files, also those of earlier versions."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.adapters.data_dir import acquire
from core.adapters.sqlite.connections.database import open_writer
from tests.permissions import open_to_others


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Clear the umask, so that only the program restricts permissions."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a data directory as an earlier version created it."""
    directory = tmp_path / "data"
    for folder in (directory, *(directory / name for name in ("logs", "checkpoints", "words"))):
        folder.mkdir(0o755)
    (directory / "words" / "index").mkdir(0o755)
    for name in ("nalanda.db", "nalanda.db-wal", "temporal.db", "lock", "logs/nalanda.log.1"):
        (directory / name).touch(0o644)
    for name in ("checkpoints/1.checkpoint", "words/index/meta.json"):
        (directory / name).touch(0o666)
    return directory


def lock(directory: Path) -> None:
    os.close(acquire(directory / "lock"))


def test_a_new_data_directory_is_its_users_alone(tmp_path: Path) -> None:
    lock(tmp_path / "data")
    connection = open_writer(tmp_path / "data" / "nalanda.db")
    assert open_to_others(tmp_path / "data") == []
    connection.close()


def test_an_old_data_directory_is_mended(old: Path) -> None:
    assert open_to_others(old)
    lock(old)
    assert open_to_others(old) == []


def test_a_directory_with_files_of_others_keeps_its_mode_and_they_keep_theirs(old: Path) -> None:
    (old / "index.html").touch(0o644)
    (old / "public").mkdir(0o755)
    (old / "public" / "page.html").touch(0o644)
    lock(old)
    others = [old, old / "index.html", old / "public", old / "public" / "page.html"]
    assert open_to_others(old) == sorted(others)


def test_the_target_of_a_link_keeps_its_mode(old: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.touch(0o644)
    (old / "logs" / "nalanda.log").symlink_to(target)
    (old / "vectors").symlink_to(tmp_path)
    lock(old)
    assert target.stat().st_mode & 0o777 == 0o644
