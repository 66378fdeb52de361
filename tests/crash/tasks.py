"""What the driver tells the clients' process to do, by a pickled file."""

from dataclasses import dataclass
from pathlib import Path

from tests.crash.ledger import Ack
from tests.crash.model import Namespace, Write

NUMBERS = 1_000
"""Each writer numbers its writes in such steps, so that no two have the same."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a writer begins with. `pending`: what it sends first, because it had no answer, or
    `answered`: because it had one, which must come again."""

    there: Namespace
    pending: Write | None
    answered: Ack | None


@dataclass(frozen=True, slots=True)
class Task:
    """`doubtful`: the database dies below a living server, and a 503 does not tell whether the
    write is on record."""

    url: str
    ledger: Path
    seed: int
    first_number: int
    writers: dict[int, Assignment]
    readers: int
    doubtful: bool = False
