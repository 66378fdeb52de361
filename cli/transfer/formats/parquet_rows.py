"""The rows of a Parquet file of `nalanda export` or of another tool."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.transfer.formats import values
from cli.transfer.formats.columns import cells, read_errors
from cli.transfer.formats.rows import COLUMNS, DOCUMENT_PREFIX, Rows
from cli.transfer.records import Origin, Settings, settings_of
from cli.transfer.staging import Staging
from core.domain.errors import Invalid, StorageError

HEADER = b"nalanda"
"""The key of the library's settings in the file's own metadata."""

_BATCH_ROWS = 1_000
_SHOWN = 20
_INDEX = re.compile(r"__index_level_\d+__")
"""Columns with the index of a pandas table."""


class Parquet:
    """A reader; `settings` are in the file's own metadata, or `None` for another tool's file."""

    def __init__(self, path: Path, file: Any, schema: Any) -> None:
        """Read the column names and the settings.

        Raises:
            StorageError: the file has no column `text`, or a column twice.
        """
        self.origin = Origin(path, "row", "the file's metadata", DOCUMENT_PREFIX)
        self.total: int | None = file.metadata.num_rows
        self._file = file
        header = (schema.metadata or {}).get(HEADER)
        self.settings: Settings = {} if header is None else self._settings(header)
        self._names: list[str] = list(schema.names)
        self._check_names()

    def stage(self, staging: Staging, progress: Callable[[int], None]) -> None:
        """Stage all rows.

        Raises:
            StorageError: a row is invalid.
        """
        staging.ignore(
            name for name in self._names if name not in COLUMNS and not _INDEX.fullmatch(name)
        )
        rows = Rows(self.origin, staging, names_documents="document_id" in self._names)
        for number, row in enumerate(self._rows(), start=1):
            rows.stage(number, row)
            progress(number)
        staging.finish()

    def _settings(self, header: bytes) -> Settings:
        try:
            parsed = values.parse(header.decode())
        except (Invalid, ValueError):
            parsed = None
        return settings_of(parsed, self.origin)

    def _check_names(self) -> None:
        path = self.origin.path
        twice = [name for name, count in Counter(self._names).items() if count > 1]
        for name in twice:
            if name in COLUMNS:
                raise StorageError(f"{path} has the column {name} twice: leave one of them out.")
        if "text" not in self._names:
            listed = ", ".join(self._names[:_SHOWN]) or "none"
            raise StorageError(
                f"{path} has no column text (its columns: {listed}): rename the column with the "
                "chunks' texts to text."
            )

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        names = [name for name in self._names if name in COLUMNS]
        done = 0
        for group in range(self._file.metadata.num_row_groups):
            for batch in self._batches(group, names, done):
                columns = {name: cells(name, batch.column(name)) for name in names}
                for row in zip(*columns.values(), strict=True):
                    yield dict(zip(names, row, strict=True))
                done += batch.num_rows

    def _batches(self, group: int, names: list[str], done: int) -> Iterator[Any]:
        batches = self._file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=names)
        try:
            for batch in batches:
                done += batch.num_rows
                yield batch
        except read_errors() as error:
            raise StorageError(
                f"{self.origin.path}: the rows after {done} (in row group {group + 1}) can't be "
                f"read: {error}. The file is damaged, or pyarrow does not support it: "
                "write it again."
            ) from error
