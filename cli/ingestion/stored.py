"""The hashes of the files that a library's documents were made from."""

from functools import cached_property

from cli.ingestion.reading import HASH
from nalanda import Document, Nalanda, NotFoundError

LISTED_FROM = 50
"""Number of files from which the stored documents are listed, instead of read one by one."""

_PAGE_SIZE = 1_000


class StoredHashes:
    """The hashes of a library's documents, for a run over a number of files.

    The listing is of the run's start: a document that another client writes since is replaced.
    """

    def __init__(self, client: Nalanda, library_id: str, *, files: int) -> None:
        self._client = client
        self._library_id = library_id
        self._is_listed = files >= LISTED_FROM

    def get(self, document_id: str) -> str | None:
        """Return a document's hash: empty if it has none, `None` if there is no document.

        Raises:
            NalandaError: the server or the library is unavailable.
        """
        return self._listed.get(document_id) if self._is_listed else self._read(document_id)

    @cached_property
    def _listed(self) -> dict[str, str]:
        documents = self._client.documents.list(self._library_id, page_size=_PAGE_SIZE)
        return {document.id: _hash_of(document) for document in documents}

    def _read(self, document_id: str) -> str | None:
        try:
            return _hash_of(self._client.documents.get(self._library_id, document_id))
        except NotFoundError:
            return None


def _hash_of(document: Document) -> str:
    return str(document.metadata.get(HASH, ""))
