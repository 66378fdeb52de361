"""Tasks of the clients' process, passed in a pickled file."""

from dataclasses import dataclass
from pathlib import Path

from tests.crash.ledger import Ack
from tests.crash.model import Namespace, Write

NUMBERS = 1_000_000
"""Size of a writer's range of write numbers in a turn."""
MOST_WRITERS = 100


@dataclass(frozen=True, slots=True)
class Assignment:
    """A writer's start: first it sends `pending`, which had no answer, or repeats `answered`."""

    there: Namespace
    pending: Write | None
    answered: Ack | None


@dataclass(frozen=True, slots=True)
class Task:
    """A task; `turn` differs per round. `doubtful`: the database dies below a living server, so a
    503 does not reveal whether the write is on record.
    """

    url: str
    ledger: Path
    seed: int
    turn: int
    writers: dict[int, Assignment]
    readers: int
    doubtful: bool = False

    def first_number(self, writer: int) -> int:
        """Return the first of a writer's write numbers, unique across turns."""
        return (self.turn * MOST_WRITERS + writer) * NUMBERS
