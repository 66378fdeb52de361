"""Uploads are complete or absent, bounded, and kept while an ingestion refers to them."""

import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.migrate import migrate
from core.adapters.postgres.engine import PostgresEngine
from core.adapters.uploads import PIECE_BYTES, FolderUploads
from core.domain.errors import NotFound, StorageError, StorageFull, Unavailable
from core.ports.uploads import UNREFERENCED_S, UploadStore

MAX_BYTES = 100
LARGE = os.urandom(2 * PIECE_BYTES + 1)


class OpenUploads:
    """A store of uploads that a test opens again, and whose files it makes old."""

    def __init__(self, data_dir: Path, postgres_url: str | None) -> None:
        self.directory = data_dir / "uploads"
        self._url = postgres_url
        self._opened: list[UploadStore] = []

    def open(self, max_bytes: int = MAX_BYTES) -> UploadStore:
        if self._url is None:
            uploads: UploadStore = FolderUploads(self.directory, max_bytes=max_bytes)
        else:
            uploads = PostgresEngine(self._url, self.directory.parent).uploads(max_bytes)
        self._opened.append(uploads)
        return uploads

    def age(self, sha256: str) -> None:
        """Make a file older than those that `sweep` leaves alone."""
        if self._url is None:
            long_ago = time.time() - 2 * UNREFERENCED_S
            os.utime(FolderUploads(self.directory, max_bytes=0).path(sha256), (long_ago, long_ago))
            return
        with psycopg.connect(self._url) as connection:
            connection.execute(
                "UPDATE uploads SET renewed_at = renewed_at - interval '1 day' WHERE sha256 = %s",
                [sha256],
            )

    def close(self) -> None:
        for uploads in self._opened:
            uploads.close()


@pytest.fixture(params=["folder", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenUploads]:
    url = None
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        with psycopg.connect(Database(url).conninfo, autocommit=True) as connection:
            migrate(connection)
    place = OpenUploads(tmp_path, url)
    yield place
    place.close()


@pytest.fixture
def uploads(place: OpenUploads) -> UploadStore:
    return place.open()


def content_of(uploads: UploadStore, sha256: str) -> bytes:
    content = b"".join(uploads.read(sha256))
    assert uploads.size_bytes(sha256) == len(content)
    return content


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_a_file_is_kept_by_its_hash_once(uploads: UploadStore) -> None:
    sha256 = uploads.put(b"content")
    assert sha256 == hashlib.sha256(b"content").hexdigest()
    assert uploads.put(b"content") == sha256
    assert content_of(uploads, sha256) == b"content"
    assert uploads.sweep(older_than_s=0) == 1


@pytest.mark.parametrize("content", [b"", LARGE[:PIECE_BYTES], LARGE], ids=["0", "1", "3"])
def test_a_file_of_any_size_is_read_as_it_was_written(place: OpenUploads, content: bytes) -> None:
    uploads = place.open(4 * PIECE_BYTES)
    assert content_of(uploads, uploads.put(content)) == content


def test_another_process_reads_the_file(place: OpenUploads, uploads: UploadStore) -> None:
    sha256 = uploads.put(b"content")
    assert content_of(place.open(), sha256) == b"content"


def test_one_content_uploaded_at_once_is_one_file(place: OpenUploads) -> None:
    uploads = place.open(4 * PIECE_BYTES)
    with ThreadPoolExecutor(4) as pool:
        hashes = set(pool.map(uploads.put, [LARGE] * 4))
    assert content_of(uploads, hashes.pop()) == LARGE
    assert not hashes
    assert uploads.sweep(older_than_s=0) == 1


@pytest.mark.parametrize("sha256", ["", "a" * 64, "../references", "A" * 64, "a/../" + "a" * 59])
def test_no_other_name_reaches_a_file(uploads: UploadStore, sha256: str) -> None:
    with pytest.raises(NotFound):
        uploads.size_bytes(sha256)
    with pytest.raises(NotFound):
        list(uploads.read(sha256))


def test_a_file_that_is_not_kept_leaves_nothing(uploads: UploadStore, place: OpenUploads) -> None:
    with uploads.begin() as incoming:
        incoming.write(b"cut off")
    assert not files_below(place.directory)
    assert uploads.sweep(older_than_s=0) == 0


def test_a_start_removes_what_a_crash_left(uploads: UploadStore, place: OpenUploads) -> None:
    cut_off = uploads.begin()
    cut_off.write(b"cut off")
    sha256 = uploads.put(b"whole")
    again = place.open()
    again.delete_unfinished()
    assert not list(place.directory.glob("*.new"))
    assert content_of(again, sha256) == b"whole"
    cut_off.discard()


def test_all_files_together_are_bounded(uploads: UploadStore, place: OpenUploads) -> None:
    uploads.put(b"x" * 60)
    with pytest.raises(StorageFull, match="NALANDA_MAX_UPLOAD_BYTES"):
        uploads.put(b"y" * 60)
    again = place.open()
    with pytest.raises(StorageFull):
        again.put(b"y" * 60)
    again.sweep(older_than_s=0)
    again.put(b"y" * 60)


def test_a_file_stays_while_it_is_referred_to_or_young(
    uploads: UploadStore, place: OpenUploads
) -> None:
    used, unused, young = uploads.put(b"used"), uploads.put(b"unused"), uploads.put(b"young")
    uploads.refer("one", [used])
    uploads.refer("two", [used])
    uploads.refer("two", [used])
    assert sorted(uploads.ingestions(older_than_s=0)) == ["one", "two"]
    assert uploads.ingestions() == []
    place.age(used)
    place.age(unused)
    assert uploads.sweep() == 1
    assert (content_of(uploads, used), content_of(uploads, young)) == (b"used", b"young")
    uploads.forget("one")
    assert uploads.sweep() == 0
    uploads.forget("two")
    uploads.forget("two")
    assert uploads.sweep() == 1
    with pytest.raises(NotFound):
        uploads.size_bytes(used)


def test_a_file_that_comes_again_is_young(uploads: UploadStore, place: OpenUploads) -> None:
    sha256 = uploads.put(b"content")
    place.age(sha256)
    uploads.put(b"content")
    assert uploads.sweep() == 0
    place.age(sha256)
    with uploads.begin() as incoming:
        incoming.write(b"content")
        incoming.keep()
    assert uploads.sweep() == 0


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't be used"):
        FolderUploads(tmp_path / "file" / "uploads", max_bytes=MAX_BYTES)


def test_a_database_out_of_reach_is_said(tmp_path: Path) -> None:
    uploads = PostgresEngine("postgresql://127.0.0.1:1/none", tmp_path).uploads(MAX_BYTES)
    with pytest.raises(Unavailable):
        uploads.put(b"content")
    uploads.close()
    assert not files_below(tmp_path)
