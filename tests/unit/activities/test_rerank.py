"""The reranker's order, without changed chunks."""

from temporalio.testing import ActivityEnvironment

from activities.rerank import Rerank
from core.contracts.query import RankedChunk, RerankInput, RerankOutput
from tests.unit.activities.models import USAGE, Reranks
from tests.unit.activities.rest import Rest

HITS = [
    RankedChunk(chunk_id=chunk_id, document_id="d", version=1, score=0.5)
    for chunk_id in ("long", "changed", "short", "middle")
]
CHUNKS = {"long": (1, "aaaa"), "changed": (2, "a"), "short": (1, "aa"), "middle": (1, "aaa")}


async def rerank(rest: Rest, hits: list[RankedChunk]) -> RerankOutput:
    question = RerankInput(library_id="l", query="q", hits=hits, top_n=2, position=9)
    async with rest.client() as client:
        return await ActivityEnvironment().run(Rerank(client, Reranks()).rerank, question)


async def test_the_best_are_kept_with_both_scores() -> None:
    reranked = await rerank(Rest(chunks=CHUNKS), HITS)
    assert [(hit.chunk_id, hit.score, hit.rerank_score) for hit in reranked.hits] == [
        ("short", 0.5, -2),
        ("middle", 0.5, -3),
    ]
    assert (reranked.changed, reranked.usage) == (["changed"], USAGE)


async def test_nothing_to_rank() -> None:
    assert await rerank(Rest(), []) == RerankOutput(hits=[], usage=USAGE)
    assert await rerank(Rest(), HITS[:1]) == RerankOutput(hits=[], changed=["long"], usage=USAGE)
