"""Texts are read in batches, and only pinned versions are used."""

import json

from activities.texts import BATCH, PinnedHits, read
from core.contracts.query import RankedChunk
from core.providers.base import Passage
from nalanda import Place
from tests.unit.activities.rest import Rest


def hit(chunk_id: str, version: int = 1) -> RankedChunk:
    return RankedChunk(chunk_id=chunk_id, document_id="d", version=version, score=0.5)


async def test_changed_and_deleted_chunks_are_named_and_not_used() -> None:
    rest = Rest(
        chunks={"same": (1, "text"), "changed": (2, "new text"), "last": (5, "end")},
        places={"same": {"line": 3, "title": "Ports", "headings": ["Depth"]}},
    )
    hits = [hit("last", 5), hit("changed"), hit("deleted"), hit("same")]
    wanted = PinnedHits(
        hits=[hits[0], hits[3]],
        passages=[
            Passage("last", "d", "end", 0.5),
            Passage("same", "d", "text", 0.5, "Ports › Depth"),
        ],
        changed=["changed", "deleted"],
        places={"last": None, "same": Place(line=3, title="Ports", headings=["Depth"])},
    )
    async with rest.client() as client:
        assert await read(client, "l", hits, 9) == wanted
    assert [r.headers["Nalanda-Min-Position"] for r in rest.requests] == ["9"]


async def test_many_are_read_in_batches() -> None:
    rest = Rest(chunks={f"c{n}": (1, str(n)) for n in range(2 * BATCH + 1)})
    hits = [hit(chunk_id) for chunk_id in rest.chunks]
    async with rest.client() as client:
        pinned = await read(client, "l", hits, 0)
    assert [passage.text for passage in pinned.passages] == [str(n) for n in range(2 * BATCH + 1)]
    sizes = [len(json.loads(r.url.params["filter"])["value"]) for r in rest.requests]
    assert sizes == [BATCH, BATCH, 1]


async def test_none_are_not_asked_for() -> None:
    rest = Rest()
    async with rest.client() as client:
        assert await read(client, "l", [], 0) == PinnedHits([], [], [])
    assert rest.requests == []
