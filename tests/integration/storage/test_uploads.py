"""Uploads are complete or absent, bounded, and kept while an ingestion refers to them."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from core.adapters.uploads import UNREFERENCED_S, Uploads
from core.domain.errors import NotFound, StorageError, StorageFull


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads", max_bytes=100)


def age(uploads: Uploads, sha256: str) -> None:
    long_ago = time.time() - 2 * UNREFERENCED_S
    os.utime(uploads.path(sha256), (long_ago, long_ago))


def test_a_file_is_kept_by_its_hash_once(uploads: Uploads, tmp_path: Path) -> None:
    sha256 = uploads.put(b"content")
    assert sha256 == hashlib.sha256(b"content").hexdigest()
    assert uploads.put(b"content") == sha256
    assert uploads.read(sha256) == b"content"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files] == [sha256]


@pytest.mark.parametrize("sha256", ["", "a" * 64, "../references", "A" * 64, "a/../" + "a" * 59])
def test_no_other_name_reaches_a_file(uploads: Uploads, sha256: str) -> None:
    with pytest.raises(NotFound):
        uploads.path(sha256)


def test_a_file_that_is_not_kept_leaves_nothing(uploads: Uploads, tmp_path: Path) -> None:
    with uploads.begin() as incoming:
        incoming.write(b"cut off")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_start_removes_what_a_crash_left(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, max_bytes=100)
    uploads.begin().write(b"cut off")
    sha256 = uploads.put(b"whole")
    again = Uploads(tmp_path, max_bytes=100)
    again.delete_unfinished()
    assert not list(tmp_path.glob("*.new"))
    assert again.read(sha256) == b"whole"


def test_all_files_together_are_bounded(uploads: Uploads, tmp_path: Path) -> None:
    uploads.put(b"x" * 60)
    with pytest.raises(StorageFull, match="NALANDA_MAX_UPLOAD_BYTES"):
        uploads.put(b"y" * 60)
    again = Uploads(tmp_path / "uploads", max_bytes=100)
    with pytest.raises(StorageFull):
        again.put(b"y" * 60)
    again.sweep(older_than_s=0)
    again.put(b"y" * 60)


def test_a_file_stays_while_it_is_referred_to_or_young(uploads: Uploads) -> None:
    used, unused, young = uploads.put(b"used"), uploads.put(b"unused"), uploads.put(b"young")
    uploads.refer("one", [used])
    uploads.refer("two", [used])
    age(uploads, used)
    age(uploads, unused)
    assert uploads.sweep() == 1
    assert (uploads.read(used), uploads.read(young)) == (b"used", b"young")
    uploads.forget("one")
    assert uploads.sweep() == 0
    uploads.forget("two")
    uploads.forget("two")
    assert uploads.sweep() == 1
    with pytest.raises(NotFound):
        uploads.path(used)


def test_a_file_that_comes_again_is_young(uploads: Uploads) -> None:
    sha256 = uploads.put(b"content")
    age(uploads, sha256)
    uploads.put(b"content")
    assert uploads.sweep() == 0


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't be used"):
        Uploads(tmp_path / "file" / "uploads", max_bytes=100)
