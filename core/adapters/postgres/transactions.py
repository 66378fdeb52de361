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
from core.adapters.postgres.rows import Connection
from core.adapters.postgres.writer import Logged, Writer
from core.adapters.rows import to_time
from core.domain.changes import Change

Clock = Callable[[], datetime]
OnCommit = Callable[[int, Sequence[Change]], None]


class PostgresSnapshot:
    """One read transaction."""

    def __init__(self, connection: Connection, position: int, now: Clock) -> None:
        self.position = position
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
        self.position = writer.pass_fence()
        connection = writer.connection
        self._writer = writer
        self._now = now
        self._commit = commit
        self._on_commit = on_commit
        self._changes: list[Change] = []
        self.libraries = WritableLibraries(connection, self._changes)
        self.chunks = WritableChunks(connection, self._changes)
        self.documents = WritableDocuments(connection, self._changes, self.chunks)
        self.feedback = WritableFeedback(connection, self._changes, self.position)
        self.replays = WritableReplays(connection, now, self.position)

    def commit(self) -> None:
        entry = to_entry(self._changes)
        self._writer.log(Logged(self.position, to_time(self._now()), entry, self._tell))
        self._commit(self._tell)

    def _tell(self) -> None:
        self._on_commit(self.position, self._changes)
