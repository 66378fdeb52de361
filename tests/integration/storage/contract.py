"""Values that are hard to store, and helpers of the contract's tests."""

from collections.abc import Sequence
from typing import Any

from core.domain.changes import Change
from core.domain.document import Chunk
from core.domain.place import Place
from core.ports.store import Store
from tests.samples import a_document, a_library, a_row

HARD_TEXT = 'naïve "quotes" \\ \x00 🦀 ﷽\n'
HARD_PLACE = Place(HARD_TEXT, (HARD_TEXT, "", "b"), 2, (0.1, -1e-300, 1e300, 3.0), 9)
HARD_METADATA: dict[str, Any] = {
    "année": 2**70,
    "deep": {"list": [1, 1.5, None, True, HARD_TEXT]},
    "x.y": -1e-300,
}


class Recorder:
    """A listener that records its calls."""

    def __init__(self, store: Store) -> None:
        self.commits: list[tuple[int, list[Change]]] = []
        self.hashes: list[bytes] = []
        store.subscribe(self)

    def __call__(self, position: int, changes: Sequence[Change], log_hash: bytes) -> None:
        self.commits.append((position, list(changes)))
        self.hashes.append(log_hash)

    @property
    def last(self) -> list[Change]:
        return self.commits[-1][1]


def fill(store: Store, *chunk_ids: str) -> None:
    with store.write() as unit:
        unit.libraries.put(a_library())
        unit.documents.put(a_document())
        unit.chunks.put("lib", [a_row(id_, ordinal=i) for i, id_ in enumerate(chunk_ids)])
        unit.commit()


def ids(chunks: Sequence[Chunk]) -> list[str]:
    return [chunk.id for chunk in chunks]
