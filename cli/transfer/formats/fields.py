"""The fields of a row or line of a file."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cli.transfer.formats import values
from cli.transfer.records import ChunkRecord, DocumentRecord, Origin
from core.domain.errors import Invalid

T = TypeVar("T")


class Unreadable:
    """A placeholder for a value that Python cannot represent."""

    def __init__(self, error: Exception) -> None:
        self.detail = f"This value is unreadable: {error}."


class Fields:
    """The raw values of a record.

    Methods that convert one raise `StorageError`, with the file, the row or line, and the field.
    """

    def __init__(self, origin: Origin, number: int, raw: Mapping[str, Any]) -> None:
        self.number = number
        self.raw = raw
        self._origin = origin

    def optional(self, name: str, converted: Callable[[object], T]) -> T:
        value = self.raw.get(name)
        if isinstance(value, Unreadable):
            raise self._origin.fault(self.number, name, value.detail)
        try:
            return converted(value)
        except Invalid as invalid:
            self._origin.refuse(self.number, name, invalid)

    def required(self, name: str, converted: Callable[[object], T | None], detail: str) -> T:
        value = self.optional(name, converted)
        if value is None:
            raise self._origin.fault(self.number, name, f"This field is missing. {detail}")
        return value

    def has(self, name: str) -> bool:
        return not values.is_missing(self.raw.get(name))

    def chunk(self) -> ChunkRecord:
        return ChunkRecord(
            self.optional("id", values.id_),
            self.optional("ordinal", values.ordinal),
            self.required("text", values.string, "A chunk must have a text."),
            self.optional("metadata", values.metadata),
            self.optional("embedding", values.embedding),
            self.optional("place", values.place),
        )

    def document(self, document_id: str) -> DocumentRecord:
        """Return the document with a converted id."""
        prefix = self._origin.document_prefix
        return DocumentRecord(
            document_id,
            self.optional(f"{prefix}title", values.title),
            self.optional(f"{prefix}source", values.title),
            self.optional(f"{prefix}metadata", values.metadata),
        )
