"""The archive of finished questions, in one table; a deleted question keeps its id alone."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from core.adapters.sql.columns import Row
from core.adapters.sql.session import ReadSession
from core.ports.archive import DELETED, ArchivedQuestion, ArchiveFilter, ArchivePlace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_COLUMNS = "workflow_id, library_id, status, query, stage, started_us, ended_us, content"
_PUT = f"""
INSERT INTO questions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (workflow_id) DO UPDATE SET library_id = excluded.library_id,
    status = excluded.status, query = excluded.query, stage = excluded.stage,
    started_us = excluded.started_us, ended_us = excluded.ended_us, content = excluded.content
WHERE questions.status <> '{DELETED}' OR questions.ended_us < excluded.started_us
RETURNING workflow_id
"""  # noqa: S608 - constants
_GET = f"SELECT {_COLUMNS} FROM questions WHERE workflow_id = ?"  # noqa: S608
_KNOWN = "SELECT workflow_id FROM questions WHERE workflow_id IN ??"
_DELETE = f"""
INSERT INTO questions ({_COLUMNS}) VALUES (?, NULL, '{DELETED}', NULL, NULL, ?, ?, '')
ON CONFLICT (workflow_id) DO UPDATE SET library_id = NULL, status = excluded.status, query = NULL,
    stage = NULL, started_us = excluded.started_us, ended_us = excluded.ended_us, content = ''
RETURNING workflow_id
"""  # noqa: S608
_TRIM = "DELETE FROM questions WHERE ended_us < ? RETURNING workflow_id"


class Sessions(Protocol):
    """The sessions of an engine, of one statement each, which is durable at the end."""

    def open(self) -> AbstractContextManager[ReadSession]: ...

    def close(self) -> None: ...


class SqlArchive:
    """A `QuestionArchive` in the table `questions` of a database."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def put(self, question: ArchivedQuestion) -> None:
        times = (_to_us(question.started_at), _to_us(question.ended_at))
        named = (question.workflow_id, question.library_id, question.status, question.query)
        self._fetch(_PUT, *named, question.stage, *times, question.content)

    def get(self, workflow_id: str) -> ArchivedQuestion | None:
        rows = self._fetch(_GET, workflow_id)
        return _from_row(rows[0]) if rows else None

    def missing(self, workflow_ids: Sequence[str]) -> list[str]:
        known = {row[0] for row in self._fetch(_KNOWN, list(workflow_ids))}
        return [each for each in workflow_ids if each not in known]

    def deleted(self, workflow_ids: Sequence[str]) -> set[str]:
        statement = f"{_KNOWN} AND status = '{DELETED}'"
        return {row[0] for row in self._fetch(statement, list(workflow_ids))}

    def page(
        self, condition: ArchiveFilter, after: ArchivePlace, *, limit: int
    ) -> list[ArchivedQuestion]:
        ended_us = _to_us(after.ended_at)
        conditions: list[tuple[str, object]] = [
            ("library_id = ?", condition.library_id),
            ("status = ?", condition.status),
            ("started_us >= ?", condition.since and _to_us(condition.since)),
            ("started_us < ?", condition.until and _to_us(condition.until)),
        ]
        given = [(text, value) for text, value in conditions if value is not None]
        where = " AND ".join([f"status <> '{DELETED}'", *(text for text, _ in given)])
        statement = (
            f"SELECT {_COLUMNS} FROM questions WHERE {where}"  # noqa: S608 - constants
            " AND (ended_us < ? OR (ended_us = ? AND workflow_id > ?))"
            " ORDER BY ended_us DESC, workflow_id LIMIT ?"
        )
        place = (ended_us, ended_us, after.workflow_id)
        rows = self._fetch(statement, *(value for _, value in given), *place, limit)
        return [_from_row(row) for row in rows]

    def delete(self, workflow_id: str, at: datetime) -> None:
        self._fetch(_DELETE, workflow_id, _to_us(at), _to_us(at))

    def trim(self, before: datetime) -> int:
        return len(self._fetch(_TRIM, _to_us(before)))

    def close(self) -> None:
        self._sessions.close()

    def _fetch(self, statement: str, *bindings: object) -> list[Row]:
        with self._sessions.open() as session:
            return session.fetch(statement, *bindings)


def _from_row(row: Row) -> ArchivedQuestion:
    workflow_id, library_id, status, query, stage, started_us, ended_us, content = row
    return ArchivedQuestion(
        workflow_id=workflow_id,
        library_id=library_id,
        status=status,
        query=query,
        stage=stage,
        started_at=_from_us(started_us),
        ended_at=_from_us(ended_us),
        content=content,
    )


def _to_us(moment: datetime) -> int:
    """Return the microseconds since 1970, in which both engines order alike."""
    return (moment - _EPOCH) // _MICROSECOND


def _from_us(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND
