"""Staged embeddings: those of a library's chunks by a model that the library does not have.

They are derived data: neither the log nor a backup has them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.adapters.sql.rows import CHUNK_VERSION, CHUNKS, from_embedding, to_embedding
from core.adapters.sql.session import ReadSession, Session
from core.domain.changes import Change, EmbeddingsReplaced
from core.domain.document import Chunk, EmbeddingsById
from core.domain.model_change import StagedEmbedding

_SCAN_ROWS = 5_000

_IS_STAGED = """
EXISTS (
    SELECT 1 FROM staged_embeddings AS staged
    WHERE staged.library_id = chunks.library_id AND staged.model = ?
        AND staged.chunk_id = chunks.id
        AND staged.chunk_version = coalesce(chunks.content_version, chunks.version)
)
"""
_MISSING = CHUNKS.select(
    f"WHERE library_id = ? AND id > ? AND NOT {_IS_STAGED} ORDER BY id LIMIT ?"
)
_MISSING_AMONG = CHUNKS.select(f"WHERE library_id = ? AND id IN ?? AND NOT {_IS_STAGED}")
_COUNT = "SELECT count(*) FROM staged_embeddings WHERE library_id = ? AND model = ?"
_MODELS = "SELECT DISTINCT model FROM staged_embeddings WHERE library_id = ?"
_GET_MANY = """
SELECT chunk_id, embedding FROM staged_embeddings
WHERE library_id = ? AND model = ? AND chunk_id IN ??
"""
_COLUMNS = "library_id, model, chunk_id, chunk_version, embedding"
_REPLACE = """
ON CONFLICT (library_id, model, chunk_id)
DO UPDATE SET chunk_version = excluded.chunk_version, embedding = excluded.embedding
"""
_PUT = f"INSERT INTO staged_embeddings ({_COLUMNS}) VALUES {{rows}} {_REPLACE}"  # noqa: S608  # our own
_COPIED = f"""
INSERT INTO staged_embeddings ({_COLUMNS})
SELECT library_id, CAST(? AS TEXT), id, {CHUNK_VERSION}, embedding FROM chunks
WHERE library_id = ? AND NOT {_IS_STAGED}
"""  # noqa: S608  # names of our own
_COPY = f"{_COPIED} AND id > ? ORDER BY id LIMIT ? {_REPLACE} RETURNING chunk_id"
_COPY_AMONG = f"{_COPIED} AND id IN ?? {_REPLACE}"
_SWITCH = f"""
UPDATE chunks SET embedding = staged.embedding, content_version = {CHUNK_VERSION}, version = ?
FROM staged_embeddings AS staged
WHERE chunks.library_id = ? AND staged.library_id = chunks.library_id AND staged.model = ?
    AND staged.chunk_id = chunks.id
"""  # noqa: S608  # names of our own
_PAGE = """
SELECT chunk_id, embedding FROM staged_embeddings
WHERE library_id = ? AND model = ? AND chunk_id > ? ORDER BY chunk_id LIMIT ?
"""
_DELETE = """
DELETE FROM staged_embeddings WHERE library_id = ? AND model = ? AND chunk_id IN (
    SELECT chunk_id FROM staged_embeddings WHERE library_id = ? AND model = ? LIMIT ?
) RETURNING chunk_id
"""


class StagedEmbeddings:
    def __init__(self, session: ReadSession) -> None:
        self._session = session

    def count(self, library_id: str, model: str) -> int:
        ((count,),) = self._session.fetch(_COUNT, library_id, model)
        return int(count)

    def models(self, library_id: str) -> list[str]:
        return [row[0] for row in self._session.fetch(_MODELS, library_id)]

    def chunks_to_stage(
        self, library_id: str, model: str, *, after: str, limit: int
    ) -> list[Chunk]:
        rows = self._session.fetch(_MISSING, library_id, after, model, limit)
        return [CHUNKS.from_row(row) for row in rows]

    def get_many(self, library_id: str, model: str, chunk_ids: Sequence[str]) -> EmbeddingsById:
        rows = self._session.fetch(_GET_MANY, library_id, model, list(chunk_ids))
        return {chunk_id: to_embedding(blob) for chunk_id, blob in rows}

    def chunks_to_stage_among(
        self, library_id: str, model: str, chunk_ids: Sequence[str]
    ) -> list[Chunk]:
        rows = self._session.fetch(_MISSING_AMONG, library_id, list(chunk_ids), model)
        return [CHUNKS.from_row(row) for row in rows]

    def all(self, library_id: str, model: str) -> tuple[list[str], NDArray[np.float32]]:
        count, ids = self.count(library_id, model), list[str]()
        embeddings = np.empty((0, 0), np.float32)
        while rows := self._session.fetch(
            _PAGE, library_id, model, ids[-1] if ids else "", _SCAN_ROWS
        ):
            block = to_embedding(b"".join(row[1] for row in rows)).reshape(len(rows), -1)
            if not ids:
                embeddings = np.empty((count, block.shape[1]), np.float32)
            embeddings[len(ids) : len(ids) + len(rows)] = block
            ids += [row[0] for row in rows]
        return ids, embeddings


class WritableStagedEmbeddings(StagedEmbeddings):
    _session: Session

    def __init__(self, session: Session, changes: list[Change], version: int) -> None:
        super().__init__(session)
        self._changes = changes
        self._version = version

    def put(self, library_id: str, model: str, rows: Sequence[StagedEmbedding]) -> None:
        if not rows:
            return
        statement = _PUT.format(rows=", ".join(["(?, ?, ?, ?, ?)"] * len(rows)))
        values = (
            (library_id, model, row.chunk_id, row.version, from_embedding(row.embedding))
            for row in rows
        )
        self._session.execute(statement, *(value for row in values for value in row))

    def copy(self, library_id: str, model: str, *, after: str, limit: int) -> str | None:
        copied = self._session.fetch_changed(_COPY, model, library_id, model, after, limit)
        return max((row[0] for row in copied), default=None)

    def copy_among(self, library_id: str, model: str, chunk_ids: Sequence[str]) -> None:
        self._session.execute(_COPY_AMONG, model, library_id, model, list(chunk_ids))

    def switch(self, model: str, replaced: EmbeddingsReplaced) -> None:
        self._session.execute(_SWITCH, self._version, replaced.library_id, model)
        self._changes.append(replaced)

    def delete(self, library_id: str, model: str, *, limit: int) -> int:
        bindings = (library_id, model, library_id, model, limit)
        return len(self._session.fetch_changed(_DELETE, *bindings))
