"""The rows of a Parquet file, as it comes from `nalanda export` or another tool."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from cli.transfer import values
from cli.transfer.columns import Unreadable, cells, pyarrow
from cli.transfer.records import ChunkRecord, DocumentRecord, Origin, Settings, settings_of
from cli.transfer.staging import Staging
from core.domain.errors import Invalid, StorageError

HEADER = b"nalanda"
"""The key of the library's settings in the file's own metadata."""

_BATCH_ROWS = 1_000
_SHARED = ("document_title", "document_source", "document_metadata")
_COLUMNS = ("id", "ordinal", "text", "metadata", "embedding", "document_id", *_SHARED)
_SHOWN = 20

T = TypeVar("T")


class Parquet:
    """`settings` are those in the file's own metadata; none where another tool wrote it."""

    def __init__(self, path: Path, file: Any) -> None:
        """Raises: StorageError: it has no texts, or a column twice."""
        self.origin = Origin(path, "row", "the file's metadata", document_prefix="document_")
        self.total: int | None = file.metadata.num_rows
        self._file = file
        schema = file.schema_arrow
        header = (schema.metadata or {}).get(HEADER)
        self.settings: Settings = {} if header is None else self._settings(header)
        self._names: list[str] = list(schema.names)
        self._check_names()

    def stage(self, staging: Staging, progress: Callable[[int], None]) -> None:
        """Raises: StorageError."""
        for name in self._names:
            if name not in _COLUMNS:
                staging.ignored[name] = None
        own = None if "document_id" in self._names else self._document_of_file()
        shared: object = None
        for number, row in enumerate(self._rows(), start=1):
            reader = _Row(self.origin, number, row)
            document_id = reader.document_id() if own is None else own.id
            if own is not None and number == 1:
                staging.add_document(1, own)
            elif own is None and (key := (document_id, *map(row.get, _SHARED))) != shared:
                staging.merge_document(number, reader.document(document_id))
                shared = key
            if own is not None or reader.has_chunk():
                staging.add_chunk(number, document_id, reader.chunk())
            progress(number)
        staging.finish()

    def _settings(self, header: bytes) -> Settings:
        try:
            parsed = values.parsed(header.decode())
        except (Invalid, ValueError):
            parsed = None
        return settings_of(parsed, self.origin)

    def _check_names(self) -> None:
        path = self.origin.path
        twice = [name for name, count in Counter(self._names).items() if count > 1]
        for name in twice:
            if name in _COLUMNS:
                raise StorageError(f"{path} has the column {name} twice: leave one of them out.")
        if "text" not in self._names:
            listed = ", ".join(self._names[:_SHOWN]) or "none"
            raise StorageError(
                f"{path} has no column text (its columns: {listed}): give that name to the one "
                "with the chunks' texts."
            )

    def _document_of_file(self) -> DocumentRecord:
        """Return the document of all rows where none names its own."""
        path = self.origin.path
        source = path.resolve().as_uri()
        return DocumentRecord(str(uuid5(NAMESPACE_URL, source)), path.stem, source)

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        names = [name for name in self._names if name in _COLUMNS]
        done = 0
        for group in range(self._file.metadata.num_row_groups):
            for batch in self._batches(group, names, done):
                columns = {name: cells(name, batch.column(name)) for name in names}
                for row in zip(*columns.values(), strict=True):
                    yield dict(zip(names, row, strict=True))
                done += batch.num_rows

    def _batches(self, group: int, names: list[str], done: int) -> Iterator[Any]:
        pa, _ = pyarrow()
        batches = self._file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=names)
        try:
            for batch in batches:
                done += batch.num_rows
                yield batch
        except (pa.ArrowException, OSError) as error:
            raise StorageError(
                f"{self.origin.path}: what follows row {done} (in row group {group + 1}) can't be "
                f"read: {error}. The file is damaged: write it again."
            ) from error


class _Row:
    def __init__(self, origin: Origin, number: int, row: Mapping[str, Any]) -> None:
        self._origin = origin
        self._number = number
        self._row = row

    def document_id(self) -> str:
        return self._needed("document_id", values.id_, "Each row is to name its document.")

    def document(self, document_id: str) -> DocumentRecord:
        return DocumentRecord(
            document_id,
            self._value("document_title", values.title),
            self._value("document_source", values.title),
            self._value("document_metadata", values.metadata),
        )

    def has_chunk(self) -> bool:
        """Return whether it is not the row of a document without chunks."""
        return not all(values.is_missing(self._row.get(name)) for name in ("id", "text"))

    def chunk(self) -> ChunkRecord:
        return ChunkRecord(
            self._value("id", values.id_),
            self._value("ordinal", values.ordinal),
            self._needed("text", values.string, "A chunk is to have a text."),
            self._value("metadata", values.metadata),
            self._value("embedding", values.embedding),
        )

    def _value(self, name: str, converted: Callable[[object], T]) -> T:
        value = self._row.get(name)
        if isinstance(value, Unreadable):
            raise self._origin.fault(self._number, name, value.detail)
        try:
            return converted(value)
        except Invalid as invalid:
            self._origin.refuse(self._number, name, invalid)

    def _needed(self, name: str, converted: Callable[[object], T | None], detail: str) -> T:
        value = self._value(name, converted)
        if value is None:
            raise self._origin.fault(self._number, name, f"This one is missing. {detail}")
        return value
