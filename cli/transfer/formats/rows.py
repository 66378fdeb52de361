"""Rows of a table, each with a chunk and the fields of its document."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cli.transfer.formats import values
from cli.transfer.formats.fields import Fields
from cli.transfer.records import DocumentRecord, Origin
from cli.transfer.staging import Staging

DOCUMENT_PREFIX = "document_"
_SHARED = ("document_title", "document_source", "document_metadata")
_OF_CHUNK = ("id", "ordinal", "text", "metadata", "place", "embedding")
COLUMNS = (*_OF_CHUNK, "document_id", *_SHARED)


class Rows:
    """A stager of rows; without `names_documents`, all rows form one document, named after the
    file.
    """

    def __init__(self, origin: Origin, staging: Staging, *, names_documents: bool) -> None:
        self._origin = origin
        self._staging = staging
        self._own = None if names_documents else _document_of(origin)
        self._last: object = None

    def stage(self, number: int, row: Mapping[str, Any]) -> None:
        """Stage the chunk and the document of a row.

        Raises:
            StorageError: the row is invalid.
        """
        fields = Fields(self._origin, number, row)
        document_id = self._document_id(fields)
        # A document without chunks has a row without id and text.
        if self._own is not None or fields.has("id") or fields.has("text"):
            self._staging.add_chunk(number, document_id, fields.chunk())

    def _document_id(self, fields: Fields) -> str:
        """Stage the document of a row, and return its id."""
        if self._own is not None:
            if fields.has("document_id"):
                detail = (
                    f"{self._origin.unit} 1 names no document: name one in all of them or in none."
                )
                raise self._origin.fault(fields.number, "document_id", detail)
            self._staging.merge_document(fields.number, self._own)
            return self._own.id
        document_id = fields.required(
            "document_id", values.id_, f"Each {self._origin.unit} must name its document."
        )
        key = (document_id, *map(fields.raw.get, _SHARED))
        if key != self._last:
            self._staging.merge_document(fields.number, fields.document(document_id))
            self._last = key
        return document_id


def _document_of(origin: Origin) -> DocumentRecord:
    source = origin.path.resolve().as_uri()
    title = origin.path.stem.encode(errors="replace").decode()  # a file name may not be valid text
    return DocumentRecord(str(uuid5(NAMESPACE_URL, source)), title, source)
