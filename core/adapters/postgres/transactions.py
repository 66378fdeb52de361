"""A read transaction and a unit of work, as the ports know them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from core.adapters.grouping import Commit
from core.adapters.postgres.rows import Connection
from core.adapters.postgres.session import PostgresSession
from core.adapters.postgres.writer import Logged, Writer
from core.adapters.rows import to_time
from core.adapters.tables.chunks import Chunks, WritableChunks
from core.adapters.tables.documents import Documents, WritableDocuments
from core.adapters.tables.entries import to_entry
from core.adapters.tables.feedback import FeedbackOfQuestions, WritableFeedback
from core.adapters.tables.libraries import Libraries, WritableLibraries
from core.adapters.tables.log import Log
from core.adapters.tables.replays import Replays, WritableReplays
from core.domain.changes import Change

Clock = Callable[[], datetime]
OnCommit = Callable[[int, Sequence[Change]], None]


class PostgresSnapshot:
    """One read transaction."""

    def __init__(self, connection: Connection, position: int, now: Clock) -> None:
        self.position = position
        session = PostgresSession(connection)
        self.libraries = Libraries(session)
        self.documents = Documents(session)
        self.chunks = Chunks(session)
        self.feedback = FeedbackOfQuestions(session)
        self.replays = Replays(session, now)
        self.log = Log(session)


class PostgresUnitOfWork:
    """One write, which begins with the fence; where it is undone, so is its position.

    The fence's row stays locked until the COMMIT: writers of all processes take turns at it.
    """

    def __init__(self, writer: Writer, now: Clock, commit: Commit, on_commit: OnCommit) -> None:
        """Raises: Unavailable: a later epoch has begun; this process writes no more."""
        self.position = writer.pass_fence()
        self._writer = writer
        self._now = now
        self._commit = commit
        self._on_commit = on_commit
        self._changes: list[Change] = []
        session = PostgresSession(writer.connection)
        self.libraries = WritableLibraries(session, self._changes)
        self.chunks = WritableChunks(session, self._changes)
        self.documents = WritableDocuments(session, self._changes, self.chunks)
        self.feedback = WritableFeedback(session, self._changes, self.position)
        self.replays = WritableReplays(session, now, self.position)

    def commit(self) -> None:
        entry = to_entry(self._changes)
        self._writer.log(Logged(self.position, to_time(self._now()), entry, self._tell))
        self._commit(self._tell)

    def _tell(self) -> None:
        self._on_commit(self.position, self._changes)
