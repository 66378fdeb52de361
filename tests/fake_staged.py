"""Fake in memory of staged embeddings."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

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

    def switch(self, library_id: str, model: str) -> None:
        ids = sorted(key[1] for key in self._state.chunks if key[0] == library_id)
        for id_ in ids:
            staged = self._state.staged[library_id, model, id_]
            row = self._state.chunks[library_id, id_]
            self._state.chunks[library_id, id_] = replace(row, embedding=staged.embedding)
        embeddings = [self._state.chunks[library_id, id_].embedding for id_ in ids]
        matrix = np.stack(embeddings) if ids else np.empty((0, 0), np.float32)
        self._changes.append(EmbeddingsReplaced(library_id, ids, matrix))

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
