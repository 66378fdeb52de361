"""All tables of a read transaction, and of a unit of work."""

from typing import TypeVar

from core.adapters.clock import Clock
from core.adapters.sql.chunks import Chunks, WritableChunks
from core.adapters.sql.documents import Documents, WritableDocuments
from core.adapters.sql.entities import Entities, WritableEntities
from core.adapters.sql.feedback import FeedbackOfQuestions, WritableFeedback
from core.adapters.sql.libraries import Libraries, WritableLibraries
from core.adapters.sql.log import Log
from core.adapters.sql.replays import Replays, WritableReplays
from core.adapters.sql.session import ReadSession, Session
from core.adapters.sql.staged import StagedEmbeddings, WritableStagedEmbeddings
from core.domain.changes import Change
from core.domain.entity import Entity

N = TypeVar("N", bound=Entity)


class Tables:
    """The tables of a read transaction, as of `position`."""

    def __init__(self, session: ReadSession, position: int, now: Clock) -> None:
        self.position = position
        self._session = session
        self.libraries = Libraries(session)
        self.documents = Documents(session)
        self.chunks = Chunks(session)
        self.staged = StagedEmbeddings(session)
        self.feedback = FeedbackOfQuestions(session)
        self.replays = Replays(session, now)
        self.log = Log(session)

    def entities(self, kind: type[N]) -> Entities[N]:
        return Entities(self._session, kind)


class WritableTables:
    """The tables of the write at `position`; `changes` are those so far, in order."""

    def __init__(self, session: Session, position: int, now: Clock) -> None:
        self.position = position
        self._session = session
        self.changes: list[Change] = []
        self.libraries = WritableLibraries(session, self.changes)
        self.chunks = WritableChunks(session, self.changes)
        self.documents = WritableDocuments(session, self.changes, self.chunks)
        self.staged = WritableStagedEmbeddings(session, self.changes, position)
        self.feedback = WritableFeedback(session, self.changes, position)
        self.replays = WritableReplays(session, now, position)

    def entities(self, kind: type[N]) -> WritableEntities[N]:
        return WritableEntities(self._session, kind, self.position)
