"""The record, read from the database directly, without the server's code."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import apsw

from tests.crash.ledger import writer_of
from tests.crash.model import SHARED, Chunk, Document, Namespace

Row: TypeAlias = Sequence[Any]
Fetch: TypeAlias = Callable[[str], Iterable[Row]]

_POSITION = "SELECT position FROM cluster"
_LOG = "SELECT position, changes FROM log WHERE position > {since}"
_LOG_SPAN = "SELECT count(*), coalesce(min(position), 1), coalesce(max(position), 0) FROM log"
_LIBRARIES = "SELECT id, metadata, version FROM libraries"
_DOCUMENTS = "SELECT library_id, id, title, metadata, version FROM documents"
_CHUNKS = """
SELECT library_id, id, document_id, ordinal, text, metadata, version, embedding FROM chunks
"""


@dataclass(frozen=True, slots=True)
class IndexedRow:
    """The part of a chunk that the index must hold."""

    document_id: str
    title: str
    text: str
    metadata: Mapping[str, Any]
    version: int
    vector: bytes


@dataclass(slots=True)
class Record:
    """The state of a database.

    `log`: entries by late position; `log_span`: their number, first and last; `rows`: all chunks by
    library and id; `faults`: contradictions.
    """

    position: int
    log: dict[int, str]
    log_span: tuple[int, int, int]
    namespaces: dict[int, Namespace] = field(default_factory=dict)
    rows: dict[str, dict[str, IndexedRow]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def namespace(self, writer: int) -> Namespace:
        return self.namespaces.setdefault(writer, Namespace())


def of_sqlite(path: Path, since: int) -> Record:
    """Read a database with the log after a position, while the server runs."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        connection.set_busy_timeout(5_000)
        connection.execute("BEGIN")  # one snapshot for all reads
        return read(lambda sql: connection.execute(sql).fetchall(), since)


def read(fetch: Fetch, since: int) -> Record:
    ((position,),) = fetch(_POSITION)
    ((count, first, last),) = fetch(_LOG_SPAN)
    log = {place: _text(changes) for place, changes in fetch(_LOG.format(since=since))}
    record = Record(position, log, (count, first, last))
    for library_id, metadata, version in fetch(_LIBRARIES):
        record.rows[library_id] = {}
        if library_id not in SHARED:
            born = _json(metadata)
            record.namespace(born["writer"]).libraries[library_id] = (born["op"], version)
    documents = {(row[0], row[1]): row[2:] for row in fetch(_DOCUMENTS)}
    for (library_id, id_), (title, metadata, version) in documents.items():
        _add_document(record, library_id, id_, title, _json(metadata), version)
    for row in fetch(_CHUNKS):
        _add_chunk(record, row, documents)
    return record


def _add_document(
    record: Record, library: str, id_: str, title: str, metadata: Mapping[str, Any], version: int
) -> None:
    born = metadata["born"]
    there = record.namespace(metadata["writer"])
    if (library, born) in there.documents:
        record.faults.append(f"twice: the document {born!r} of {library!r} is there again as {id_}")
    if not born.startswith("p") and born != id_:
        record.faults.append(f"stray: the document {born!r} of {library!r} is called {id_}")
    there.documents[library, born] = Document(title, metadata["op"], version)
    there.ids[library, born] = id_


def _add_chunk(record: Record, row: Row, documents: Mapping[tuple[str, str], Row]) -> None:
    library, id_, document_id, ordinal, text, metadata_, version, embedding = row
    metadata, vector = _json(metadata_), bytes(embedding)
    born = metadata["born"]
    document = documents.get((library, document_id))
    if document is None:
        record.faults.append(f"half: the chunk {born!r} of {library!r} has no document")
        return
    there = record.namespace(metadata["writer"])
    if (library, born) in there.chunks:
        record.faults.append(f"twice: the chunk {born!r} of {library!r} is there again as {id_}")
    if (not born.startswith("p") and born != id_) or writer_of(born) != metadata["writer"]:
        record.faults.append(f"stray: the chunk {born!r} of {library!r} is called {id_}")
    title, document_metadata = document[0], _json(document[1])
    there.chunks[library, born] = Chunk(
        document=document_metadata["born"],
        ordinal=ordinal,
        text=text,
        op=metadata["op"],
        i=metadata["i"],
        vector=vector,
        version=version,
    )
    record.rows.setdefault(library, {})[id_] = IndexedRow(
        document_id, title, text, metadata, version, vector
    )


def _json(value: object) -> Any:
    """Return a JSON column's value, which a driver may have parsed already."""
    return json.loads(value) if isinstance(value, str | bytes) else value


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
