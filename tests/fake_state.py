"""The state of the store in memory."""

from dataclasses import dataclass, field
from typing import Any

from core.contracts.query import Feedback
from core.domain.document import Document, EmbeddedChunk
from core.domain.library import Library
from core.domain.model_change import StagedEmbedding
from core.ports.store import LogEntry, Replay

Key = tuple[str, str]


@dataclass(slots=True)
class State:
    """The state at one position; a write works on a copy."""

    position: int = 0
    libraries: dict[str, Library] = field(default_factory=dict)
    documents: dict[Key, Document] = field(default_factory=dict)
    chunks: dict[Key, EmbeddedChunk] = field(default_factory=dict)
    feedback: tuple[tuple[str, Feedback], ...] = ()
    replays: dict[str, Replay] = field(default_factory=dict)
    staged: dict[tuple[str, str, str], StagedEmbedding] = field(default_factory=dict)
    entities: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    log: tuple[LogEntry, ...] = ()

    def next(self) -> "State":
        return State(
            self.position + 1,
            dict(self.libraries),
            dict(self.documents),
            dict(self.chunks),
            self.feedback,
            dict(self.replays),
            dict(self.staged),
            dict(self.entities),
            self.log,
        )
