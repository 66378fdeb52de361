"""Fake in memory of staged embeddings."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.domain.changes import Change, EmbeddingsReplaced
from core.domain.document import Chunk, EmbeddedChunk, EmbeddingsById
from core.domain.model_change import StagedEmbedding
from tests.fake_state import State


class FakeStaged:
    def __init__(self, state: State, changes: list[Change]) -> None:
        self._state = state
        self._changes = changes

    def count(self, library_id: str, model: str) -> int:
        return len(self._keys(library_id, model))

    def models(self, library_id: str) -> list[str]:
        return list({model for of, model, _ in self._state.staged if of == library_id})

    def chunks_to_stage(
        self, library_id: str, model: str, *, after: str, limit: int
    ) -> list[Chunk]:
        rows = [row.chunk for row in self._missing(library_id, model, after)]
        return rows[:limit]

    def get_many(self, library_id: str, model: str, chunk_ids: Sequence[str]) -> EmbeddingsById:
        staged = self._state.staged
        return {
            id_: staged[library_id, model, id_].embedding
            for id_ in chunk_ids
            if (library_id, model, id_) in staged
        }

    def put(self, library_id: str, model: str, rows: Sequence[StagedEmbedding]) -> None:
        self._state.staged |= {(library_id, model, row.chunk_id): row for row in rows}

    def copy(self, library_id: str, model: str, *, after: str, limit: int) -> str | None:
        rows = self._missing(library_id, model, after)[:limit]
        staged = [StagedEmbedding(x.chunk.id, x.chunk.version, x.embedding) for x in rows]
        self.put(library_id, model, staged)
        return staged[-1].chunk_id if staged else None

    def chunks_to_stage_among(
        self, library_id: str, model: str, chunk_ids: Sequence[str]
    ) -> list[Chunk]:
        missing = self._missing(library_id, model, "")
        return [row.chunk for row in missing if row.chunk.id in set(chunk_ids)]

    def all(self, library_id: str, model: str) -> tuple[list[str], NDArray[np.float32]]:
        keys = sorted(self._keys(library_id, model))
        rows = [self._state.staged[key].embedding for key in keys]
        return [key[2] for key in keys], np.stack(rows) if rows else np.empty((0, 0), np.float32)

    def copy_among(self, library_id: str, model: str, chunk_ids: Sequence[str]) -> None:
        for row in self._missing(library_id, model, ""):
            if row.chunk.id in set(chunk_ids):
                staged = StagedEmbedding(row.chunk.id, row.chunk.version, row.embedding)
                self.put(library_id, model, [staged])

    def switch(self, model: str, replaced: EmbeddingsReplaced) -> None:
        library_id = replaced.library_id
        for key in [key for key in self._state.chunks if key[0] == library_id]:
            staged = self._state.staged[library_id, model, key[1]]
            row = self._state.chunks[key]
            self._state.chunks[key] = replace(row, embedding=staged.embedding)
        self._changes.append(replaced)

    def delete(self, library_id: str, model: str, *, limit: int) -> int:
        gone = self._keys(library_id, model)[:limit]
        for key in gone:
            del self._state.staged[key]
        return len(gone)

    def _keys(self, library_id: str, model: str) -> list[tuple[str, str, str]]:
        return [key for key in self._state.staged if key[:2] == (library_id, model)]

    def _missing(self, library_id: str, model: str, after: str) -> list[EmbeddedChunk]:
        keys = sorted(key for key in self._state.chunks if key[0] == library_id and key[1] > after)
        rows = (self._state.chunks[key] for key in keys)
        return [
            row
            for row in rows
            if (staged := self._state.staged.get((library_id, model, row.chunk.id))) is None
            or staged.version != row.chunk.version
        ]
