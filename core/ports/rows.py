"""The rows of a record by kind, as a snapshot reads and a unit of work writes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.contracts.query import Feedback
from core.domain.changes import EmbeddingsReplaced
from core.domain.document import Chunk, Document, EmbeddedChunk, EmbeddingsById
from core.domain.library import Library
from core.domain.model_change import StagedEmbedding

E = TypeVar("E")


class LibraryReader(Protocol):
    def get(self, ref: str) -> Library:
        """Return the library with this id, else with this name.

        Raises:
            NotFound: there is no such library.
        """
        ...

    def page(self, *, after: str | None, limit: int, name: str | None = None) -> list[Library]:
        """Return the next libraries after the id `after`, in order of id."""
        ...


class RowReader(Protocol[E]):
    """The entities of one kind in each library."""

    def get(self, library_id: str, id_: str, /) -> E:
        """Return the entity.

        Raises:
            NotFound: the library has no such entity.
        """
        ...

    def get_many(self, library_id: str, ids: Sequence[str], /) -> dict[str, E]:
        """Return the entities by id; an id without an entity is left out."""
        ...

    def page(self, library_id: str, *, after: str | None, limit: int) -> list[E]:
        """Return the next entities after the id `after`, in order of id."""
        ...


DocumentReader: TypeAlias = RowReader[Document]


class ChunkReader(RowReader[Chunk], Protocol):
    def embeddings(self, library_id: str, chunk_ids: Sequence[str]) -> EmbeddingsById: ...

    def get_many_embedded(self, library_id: str, chunk_ids: Sequence[str]) -> list[EmbeddedChunk]:
        """Return the chunks with embeddings, each once, in any order; unknown ids are left out."""
        ...

    def page_of_document(
        self, library_id: str, document_id: str, *, after: tuple[int, str] | None, limit: int
    ) -> list[Chunk]:
        """Return the document's next chunks after `after`, in order of (ordinal, id)."""
        ...

    def next_ordinal(self, library_id: str, document_id: str) -> int: ...

    def any(self, library_id: str) -> bool: ...

    def scan(self, library_id: str) -> Iterator[EmbeddedChunk]:
        """Yield all chunks of a library, in order of id."""
        ...


class LibraryWriter(LibraryReader, Protocol):
    def put(self, library: Library) -> None:
        """Insert or replace a library by id.

        Raises:
            Conflict: another library has the name.
        """
        ...

    def delete(self, library_id: str) -> None: ...


class RowWriter(RowReader[E], Protocol[E]):
    def put(self, entity: E, /) -> None:
        """Insert or replace an entity by id."""
        ...

    def delete(self, library_id: str, id_: str, /) -> None:
        """Delete the entity, if the library has it."""
        ...


DocumentWriter: TypeAlias = RowWriter[Document]


@dataclass(frozen=True, slots=True)
class AppendPoint:
    """The state that chunks are appended to.

    `library_version` is `None` without the library. `taken` is the first of the new ids that a
    chunk of the library has.
    """

    library_version: int | None
    has_document: bool
    next_ordinal: int
    taken: str | None


class ChunkWriter(ChunkReader, Protocol):
    def append_point(
        self, library_id: str, document_id: str, chunk_ids: Sequence[str]
    ) -> AppendPoint:
        """Return the state before chunks with these ids are appended, by one statement."""
        ...

    def put(self, library_id: str, rows: Sequence[EmbeddedChunk]) -> None: ...

    def delete(self, library_id: str, chunk_ids: Sequence[str]) -> int:
        """Delete the chunks; return how many of them existed."""
        ...

    def delete_of_document(self, library_id: str, document_id: str) -> int: ...


class StagedReader(Protocol):
    """The embeddings of chunks by models that their libraries do not have."""

    def count(self, library_id: str, model: str) -> int: ...

    def models(self, library_id: str) -> list[str]:
        """Return the models, in any order, of which there are embeddings."""
        ...

    def chunks_to_stage(
        self, library_id: str, model: str, *, after: str, limit: int
    ) -> list[Chunk]:
        """Return the next chunks after the id `after` without an embedding of their version."""
        ...

    def chunks_to_stage_among(
        self, library_id: str, model: str, chunk_ids: Sequence[str]
    ) -> list[Chunk]:
        """Return those of the chunks that have no embedding of their version."""
        ...

    def all(self, library_id: str, model: str) -> tuple[list[str], NDArray[np.float32]]:
        """Return the ids and embeddings, `(n, d) float32`, of any version, in order of id."""
        ...

    def get_many(self, library_id: str, model: str, chunk_ids: Sequence[str]) -> EmbeddingsById:
        """Return the embeddings by chunk id, of any version; an id without one is left out."""
        ...


class StagedWriter(StagedReader, Protocol):
    def put(self, library_id: str, model: str, rows: Sequence[StagedEmbedding]) -> None: ...

    def copy(self, library_id: str, model: str, *, after: str, limit: int) -> str | None:
        """Stage the own embeddings of the next chunks after `after` that lack one under `model`.

        Returns:
            The last chunk's id; `None` if no chunk lacks one.
        """
        ...

    def copy_among(self, library_id: str, model: str, chunk_ids: Sequence[str]) -> None:
        """Stage the own embeddings of those of the chunks that lack one under `model`."""
        ...

    def switch(self, model: str, replaced: EmbeddingsReplaced) -> None:
        """Replace the embeddings of all chunks by those of the model; the chunks' versions stay.

        Every chunk has an embedding of its version, `replaced` has all of them, and the library is
        already put.
        """
        ...

    def delete(self, library_id: str, model: str, *, limit: int) -> int:
        """Delete at most `limit` embeddings; return how many."""
        ...


class FeedbackReader(Protocol):
    def of(self, workflow_id: str) -> list[Feedback]:
        """Return the feedback on a question, oldest first."""
        ...


class FeedbackWriter(FeedbackReader, Protocol):
    def add(self, workflow_id: str, feedback: Feedback) -> None: ...

    def delete(self, workflow_id: str) -> None:
        """Delete all feedback on a question."""
        ...
