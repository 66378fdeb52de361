"""The archive keeps finished questions, lists them in order, and forgets what is deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.migrate import migrate
from core.adapters.postgres.engine import PostgresEngine
from core.adapters.sqlite.archive import FILE
from core.adapters.sqlite.engine import SqliteEngine
from core.domain.errors import StorageError
from core.ports.archive import (
    ArchivedQuestion,
    ArchiveFilter,
    ArchivePlace,
    QuestionArchive,
)

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
START = ArchivePlace(NOON + timedelta(days=1))
ALL = ArchiveFilter()


class OpenArchive:
    """An archive that a test opens again."""

    def __init__(self, data_dir: Path, postgres_url: str | None) -> None:
        self.data_dir = data_dir
        self._url = postgres_url
        self._opened: list[QuestionArchive] = []

    def open(self) -> QuestionArchive:
        archive: QuestionArchive = (
            SqliteEngine(self.data_dir).archive()
            if self._url is None
            else PostgresEngine(self._url, self.data_dir).archive()
        )
        self._opened.append(archive)
        return archive

    def close(self) -> None:
        for archive in self._opened:
            archive.close()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenArchive]:
    url = None
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        with psycopg.connect(Database(url).conninfo, autocommit=True) as connection:
            migrate(connection)
    place = OpenArchive(tmp_path, url)
    yield place
    place.close()


@pytest.fixture
def archive(place: OpenArchive) -> QuestionArchive:
    return place.open()


def question(name: str, minutes: int = 0, **changes: str | None) -> ArchivedQuestion:
    """Return a question that ran for a minute, until some minutes after noon."""
    given: dict[str, str | None] = {"library_id": "l", "status": "completed", "query": f"{name}?"}
    given |= changes
    ended_at = NOON + timedelta(minutes=minutes)
    return ArchivedQuestion(
        workflow_id=name,
        library_id=given["library_id"],
        status=given["status"] or "",
        query=given["query"],
        stage="answer",
        started_at=ended_at - timedelta(minutes=1),
        ended_at=ended_at,
        content=f'{{"name": "{name}\\u0000"}}',
    )


def ids(questions: list[ArchivedQuestion]) -> list[str]:
    return [each.workflow_id for each in questions]


def test_a_question_is_kept(place: OpenArchive, archive: QuestionArchive) -> None:
    kept = question("a")
    archive.put(kept)
    archive.put(question("b", library_id=None, query=None))
    assert archive.get("a") == kept
    assert archive.get("c") is None
    archive.close()
    assert place.open().get("a") == kept


def test_the_last_one_of_an_id_is_kept(archive: QuestionArchive) -> None:
    archive.put(question("a", status="failed"))
    archive.put(question("a", 5))
    assert archive.get("a") == question("a", 5)
    assert ids(archive.page(ALL, START, limit=9)) == ["a"]


def test_pages_go_from_the_last_end_to_the_first(archive: QuestionArchive) -> None:
    for name, minutes in (("b", 0), ("a", 0), ("c", 1), ("d", 2)):
        archive.put(question(name, minutes))
    seen: list[str] = []
    after = START
    while page := archive.page(ALL, after, limit=1):
        seen += ids(page)
        after = ArchivePlace(page[-1].ended_at, page[-1].workflow_id)
    assert seen == ["d", "c", "a", "b"]


def test_conditions(archive: QuestionArchive) -> None:
    archive.put(question("a", 0, library_id="k"))
    archive.put(question("b", 5, status="failed"))
    archive.put(question("c", 10))

    def listed(**condition: object) -> list[str]:
        return ids(archive.page(ArchiveFilter(**condition), START, limit=9))  # type: ignore[arg-type]

    assert listed(library_id="l") == ["c", "b"]
    assert listed(status="failed") == ["b"]
    assert listed(since=NOON + timedelta(minutes=4)) == ["c", "b"]
    assert listed(until=NOON + timedelta(minutes=4)) == ["a"]
    assert listed(library_id="l", status="completed", until=NOON) == []


def test_what_is_deleted_is_gone_and_stays_so(archive: QuestionArchive) -> None:
    for name in ("a", "b"):
        archive.put(question(name))
    archive.delete("a", NOON + timedelta(hours=1))
    archive.delete("never-archived", NOON + timedelta(hours=1))
    archive.put(question("a"))
    tombstone = archive.get("a")
    assert tombstone is not None
    assert (tombstone.is_deleted, tombstone.query, tombstone.content) == (True, None, "")
    assert ids(archive.page(ALL, START, limit=9)) == ["b"]
    assert archive.missing(["a", "b", "c", "never-archived"]) == ["c"]
    assert set(archive.deleted(["a", "b", "c", "never-archived"])) == {"a", "never-archived"}


def test_an_id_that_is_used_again_is_another_question(archive: QuestionArchive) -> None:
    archive.put(question("a"))
    archive.delete("a", NOON + timedelta(hours=1))
    archive.put(question("a", 120))
    assert archive.get("a") == question("a", 120)


def test_what_is_older_is_trimmed(archive: QuestionArchive) -> None:
    for name, minutes in (("a", 0), ("b", 5), ("c", 10)):
        archive.put(question(name, minutes))
    archive.delete("a", NOON)
    assert archive.trim(NOON + timedelta(minutes=5)) == 1
    assert archive.missing(["a", "b", "c"]) == ["a"]
    assert archive.trim(NOON + timedelta(days=1)) == 2
    assert archive.page(ALL, START, limit=9) == []


def test_the_file_of_an_archive_is_private_and_made_when_needed(tmp_path: Path) -> None:
    archive = SqliteEngine(tmp_path).archive()
    assert not (tmp_path / FILE).exists()
    archive.put(question("a"))
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    archive.close()


def test_a_deleted_text_is_not_left_in_the_file(tmp_path: Path) -> None:
    archive = SqliteEngine(tmp_path).archive()
    archive.put(question("a", query="A secret."))
    archive.delete("a", NOON)
    archive.close()  # the last connection moves the WAL into the file
    assert b"A secret." not in (tmp_path / FILE).read_bytes()


def test_an_archive_that_can_not_be_opened(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    archive = SqliteEngine(tmp_path).archive()
    with pytest.raises(StorageError):
        archive.get("a")
