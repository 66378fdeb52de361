"""A read transaction and a unit of work, as the ports know them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from core.adapters.grouping import Commit
from core.adapters.log import to_entry
from core.adapters.postgres.chunks import Chunks, WritableChunks
from core.adapters.postgres.documents import Documents, WritableDocuments
from core.adapters.postgres.feedback import FeedbackOfQuestions, WritableFeedback
from core.adapters.postgres.libraries import Libraries, WritableLibraries
from core.adapters.postgres.log import Log
from core.adapters.postgres.replays import Replays, WritableReplays
from core.adapters.postgres.rows import Connection, fetch
from core.adapters.postgres.writer import Writer
from core.adapters.rows import to_time
from core.domain.changes import Change
from core.domain.errors import Unavailable

POSITION = "SELECT position FROM cluster"

_FENCE = "UPDATE cluster SET position = position + 1 WHERE epoch = %s RETURNING position"
_LOG = "INSERT INTO log (position, epoch, at, changes) VALUES (%s, %s, %s, %s)"

Clock = Callable[[], datetime]
OnCommit = Callable[[int, Sequence[Change]], None]


class PostgresSnapshot:
    """One read transaction, which begins with the reading of its position."""

    def __init__(self, connection: Connection, now: Clock) -> None:
        self.position: int = fetch(connection, POSITION)[0][0]
        self.libraries = Libraries(connection)
        self.documents = Documents(connection)
        self.chunks = Chunks(connection)
        self.feedback = FeedbackOfQuestions(connection)
        self.replays = Replays(connection, now)
        self.log = Log(connection)


class PostgresUnitOfWork:
    """One write, which begins with the fence; where it is undone, so is its position.

    The fence's row stays locked until the COMMIT: writers of all processes take turns at it.
    """

    def __init__(self, writer: Writer, now: Clock, commit: Commit, on_commit: OnCommit) -> None:
        """Raises: Unavailable: a later epoch has begun; this process writes no more."""
        connection = writer.connection
        passed = fetch(connection, _FENCE, writer.epoch)
        if not passed:
            raise Unavailable("Another process has taken over the writing.")
        self.position: int = passed[0][0]
        self._writer = writer
        self._now = now
        self._commit = commit
        self._on_commit = on_commit
        self._changes: list[Change] = []
        self.libraries = WritableLibraries(connection, self._changes)
        self.chunks = WritableChunks(connection, self._changes)
        self.documents = WritableDocuments(connection, self._changes, self.chunks)
        self.feedback = WritableFeedback(connection, self._changes, self.position)
        self.replays = WritableReplays(connection, now)

    def commit(self) -> None:
        entry = (self.position, self._writer.epoch, to_time(self._now()), to_entry(self._changes))
        self._writer.connection.execute(_LOG, entry)
        self._writer.expect(self.position, self._tell)
        self._commit(self._tell)

    def _tell(self) -> None:
        self._on_commit(self.position, self._changes)
