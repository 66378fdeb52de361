"""What the driver tells the clients' process to do, by a pickled file."""

from dataclasses import dataclass
from pathlib import Path

from tests.crash.ledger import Ack
from tests.crash.model import Namespace, Write

NUMBERS = 1_000_000
"""So many of a writer's writes in a turn have numbers of their own."""
MOST_WRITERS = 100


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a writer begins with. `pending`: what it sends first, because it had no answer, or
    `answered`: because it had one, which must come again."""

    there: Namespace
    pending: Write | None
    answered: Ack | None


@dataclass(frozen=True, slots=True)
class Task:
    """`turn`: another in each round. `doubtful`: the database dies below a living server, and a
    503 does not tell whether the write is on record."""

    url: str
    ledger: Path
    seed: int
    turn: int
    writers: dict[int, Assignment]
    readers: int
    doubtful: bool = False

    def first_number(self, writer: int) -> int:
        """Of a writer's writes, which no other write has, in this turn or another."""
        return (self.turn * MOST_WRITERS + writer) * NUMBERS
