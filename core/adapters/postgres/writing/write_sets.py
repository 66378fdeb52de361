"""Write sets: what units of work change, kept until their COMMIT."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from core.adapters.group_commit import AfterCommit
from core.adapters.postgres.connections.commit_hints import CHANNEL
from core.adapters.postgres.connections.rows import columns_of
from core.adapters.postgres.connections.statements import Statement
from core.adapters.sql.columns import Column, Row, names_of
from core.adapters.sql.rows import CHUNKS, EMBEDDING, from_embedded
from core.domain.document import EmbeddedChunk
from core.domain.errors import NalandaError
from core.domain.log_hash import next_hash

_MAX_ROWS = 1_000
"""The number of rows after which the puts of chunks are no longer joined to one statement."""


def _array(column: Column) -> str:
    """Return the placeholder of a column's values, in the binary form; times are texts."""
    kind = column.codec.kind
    return f"%b::{'text' if kind == 'timestamptz' else kind}[]"


def _value(column: Column) -> str:
    return f'"{column.name}"::{column.codec.kind}'


# One statement for all rows takes two thirds of the time of one per row, and half the client's
# work.
_COLUMNS = [*CHUNKS.columns, EMBEDDING]
_ROWS = (
    f"SELECT {', '.join(map(_value, _COLUMNS))}"  # noqa: S608  # names of our own
    f" FROM unnest({', '.join(map(_array, _COLUMNS))}) AS rows ({names_of(_COLUMNS)})"
)
_PUT_CHUNKS = CHUNKS.upsert(_ROWS, [EMBEDDING]).encode()

# The notification goes out with the COMMIT.
_LOG = f"""
WITH moved AS (UPDATE cluster SET position = %s RETURNING pg_notify('{CHANNEL}', ''))
INSERT INTO log (position, epoch, at, changes, hash)
SELECT position, %s, at::timestamptz, changes, hash
FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::bytea[])
    AS entries (position, at, changes, hash)
""".encode()  # noqa: S608  # a name of our own


@dataclass(frozen=True, slots=True)
class ChunkPut:
    """Rows of chunks to insert or replace, by their keys: a statement may replace a row once."""

    rows: Mapping[tuple[str, str], Row]

    @classmethod
    def of(cls, rows: Sequence[EmbeddedChunk]) -> "ChunkPut":
        """Return the put of the rows; the last row of an id wins."""
        return cls({(row.chunk.library_id, row.chunk.id): from_embedded(row) for row in rows})


Write: TypeAlias = Statement | ChunkPut


@dataclass(slots=True)
class WriteSet:
    """The writes of the unit at `position`, in order, the first `sent` of which the server has.

    `at` (RFC 3339) and `changes` (JSON) are the unit's entry in the log, once it has joined the
    group; `hash` is the entry's, once it is sent. A unit with an `error` of its own has failed; one
    with a `doubt` is on record, and could still be lost.
    """

    position: int
    writes: list[Write] = field(default_factory=list)
    sent: int = 0
    at: str = ""
    changes: str = ""
    hash: bytes = b""
    after_commit: AfterCommit | None = None
    error: NalandaError | None = None
    doubt: NalandaError | None = None

    @property
    def unsent(self) -> Sequence[Write]:
        return self.writes[self.sent :]

    def fail(self, error: NalandaError) -> None:
        """Drop the writes, and leave an empty entry: later units of the group have positions."""
        self.error, self.writes, self.sent, self.changes = error, [], 0, "[]"


def to_log(units: Sequence[WriteSet], epoch: int, previous: bytes) -> Statement:
    """Return the statement that moves the position and adds the units' entries to the log.

    It sets the hashes of the units; `previous`: the log's hash before them.
    """
    for unit in units:
        unit.hash = previous = next_hash(previous, unit.position, epoch, unit.at, unit.changes)
    columns = columns_of([(unit.position, unit.at, unit.changes, unit.hash) for unit in units])
    return Statement(_LOG, (units[-1].position, epoch, *columns))


def to_statements(writes: Iterable[Write]) -> Iterator[Statement]:
    """Yield the statements of writes in order; consecutive puts of chunks become one."""
    rows: dict[tuple[str, str], Row] = {}
    for write in writes:
        if isinstance(write, ChunkPut):
            rows |= write.rows
        if rows and (isinstance(write, Statement) or len(rows) >= _MAX_ROWS):
            yield _put(rows)
            rows = {}
        if isinstance(write, Statement):
            yield write
    if rows:
        yield _put(rows)


def _put(rows: Mapping[tuple[str, str], Row]) -> Statement:
    return Statement(_PUT_CHUNKS, columns_of(list(rows.values())))
