"""The file of a sealed segment's attribute index, which is read column by column."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from core.domain.document import Chunk, Document
from core.domain.filters import Field, Scope
from core.indexing.attributes import AttributeIndex
from core.indexing.attributes.reading import values_at
from core.indexing.checkpoints.column_arrays import (
    arrays_of,
    column_of,
    with_prefix,
    without_prefix,
)
from core.indexing.container.container import Container, DamagedFile, open_container
from core.indexing.container.writer import write_container

KIND: Final = "attributes"


def write_attributes(path: Path, index: AttributeIndex) -> int:
    """Write the columns and orderings built so far durably, and return the file's checksum.

    Document columns hold the documents at build time. If documents have changed since, write the
    result of `with_documents` instead.

    Raises:
        OSError: no room, or no permission.
    """
    arrays: dict[str, NDArray[Any]] = {}
    columns: list[list[str]] = []
    for field in index.fields:
        if column := index.column(field):
            arrays |= with_prefix(str(len(columns)), arrays_of(column))
            columns.append([field.scope.value, field.key])
    orderings: list[list[Any]] = []
    for ((scope, key), instants, descending), rows in index.orderings.items():
        arrays[f"ordering.{len(orderings)}"] = rows
        orderings.append([scope.value, key, instants, descending])
    parameters = {"size": index.size, "columns": columns, "orderings": orderings}
    return write_container(path, KIND, parameters, arrays)


def open_attributes(
    path: Path, chunks: Sequence[Chunk], documents: Mapping[str, Document]
) -> tuple[AttributeIndex, Container]:
    """Open an attribute index and its file, whose arrays are not verified yet.

    A column is read on first use. `documents`: as they were when the file was written; must not
    change.

    Raises:
        DamagedFile: the file is damaged, or belongs to other chunks.
        OSError: the file cannot be opened.
    """
    container = open_container(path, KIND)
    try:
        return _index(container, chunks, documents), container
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFile(path, f"It has no attributes of these chunks: {error}") from error


def _index(
    container: Container, chunks: Sequence[Chunk], documents: Mapping[str, Document]
) -> AttributeIndex:
    """Restore the attribute index of a container.

    Raises:
        ValueError, KeyError, TypeError: the file belongs to other chunks.
    """
    parameters, arrays = container.parameters, container.arrays
    if parameters["size"] != len(chunks):
        raise ValueError(f"it has {parameters['size']} rows")
    columns = {
        (field.scope, field.key): partial(
            column_of,
            len(chunks),
            without_prefix(str(i), arrays),
            values_at(field, chunks, documents),
        )
        for i, (scope, key) in enumerate(parameters["columns"])
        for field in [Field(Scope(scope), key)]
    }
    orderings = {
        ((Scope(scope), key), instants, descending): arrays[f"ordering.{i}"]
        for i, (scope, key, instants, descending) in enumerate(parameters["orderings"])
    }
    return AttributeIndex.from_stored(chunks, documents, columns, orderings)
