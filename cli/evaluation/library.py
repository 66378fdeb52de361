"""The documents of the library that is evaluated, by their sources."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

from cli.evaluation.questions import BadFile, NumberedQuestion
from nalanda import Nalanda, NotFoundError


class LibraryDocuments:
    """The sources of a library's documents, by id; a document without one has its id."""

    def __init__(self, library_id: str, sources: Mapping[str, str]) -> None:
        self.library_id = library_id
        self._sources = sources

    @classmethod
    def read(cls, client: Nalanda, library_id: str) -> "LibraryDocuments":
        documents = client.documents.list(library_id)
        return cls(library_id, {one.id: _readable(one.source or one.id) for one in documents})

    def source(self, document_id: str) -> str:
        return self._sources.get(document_id, document_id)

    @staticmethod
    def is_one_of(source: str, wanted: Iterable[str]) -> bool:
        """Return whether a source is a wanted one, or ends with it after a slash."""
        return any(source == one or source.endswith(f"/{one}") for one in wanted)

    def check(self, client: Nalanda, path: Path, questions: Iterable[NumberedQuestion]) -> None:
        """Check that the library has all sources and chunks that the questions name.

        Raises:
            BadFile: a source or a chunk is not there.
        """
        known = set(self._sources.values())
        tails = {source[at + 1 :] for source in known for at in _slashes(source)} | known
        for one in questions:
            for source in one.question.sources:
                if source not in tails:
                    raise BadFile(
                        f"{path}: line {one.line}: No document of the library has the source "
                        f"{source!r}."
                    )
            for chunk_id in one.question.chunks:
                if not self._has_chunk(client, chunk_id):
                    raise BadFile(
                        f"{path}: line {one.line}: The library has no chunk {chunk_id!r}."
                    )

    def _has_chunk(self, client: Nalanda, chunk_id: str) -> bool:
        try:
            client.chunks.get(self.library_id, chunk_id)
        except NotFoundError:
            return False
        return True


def _readable(source: str) -> str:
    """Return a source as a question names it: a file's URI without percent-encoding."""
    return unquote(source) if source.startswith("file:") else source


def _slashes(source: str) -> list[int]:
    return [at for at, character in enumerate(source) if character == "/"]
