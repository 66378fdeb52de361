"""The difference between two results."""

from api.questions.comparing import compare
from core.contracts.query import Citation, QueryResult, RankedChunk


def hit(name: str) -> RankedChunk:
    return RankedChunk(chunk_id=name, document_id="d", version=1, score=0.5)


def citation(name: str, quote: str, start: int = 0) -> Citation:
    at = {"start": start, "end": start + 1, "quote_start": 0, "quote_end": 1}
    return Citation(chunk_id=name, document_id="d", quote=quote, **at)


def result(hits: str, answer: str | None, *citations: Citation) -> QueryResult:
    return QueryResult(
        hits=[hit(name) for name in hits], answer=answer, citations=list(citations), position=1
    )


def test_hits_are_gained_lost_and_moved() -> None:
    difference = compare(result("abc", "x"), result("dca", None))
    assert [each.chunk_id for each in difference.hits.gained] == ["d"]
    assert [each.chunk_id for each in difference.hits.lost] == ["b"]
    moves = [(move.chunk_id, move.before, move.after) for move in difference.hits.moved]
    assert moves == [("c", 3, 2), ("a", 1, 3)]
    assert (difference.answer.before, difference.answer.after) == ("x", None)


def test_citations_are_compared_by_their_quotes() -> None:
    before = result("ab", "x", citation("a", "one"), citation("b", "two"))
    after = result("ab", "y", citation("a", "one", start=7), citation("b", "three"))
    difference = compare(before, after)
    assert [each.quote for each in difference.citations.gained] == ["three"]
    assert [each.quote for each in difference.citations.lost] == ["two"]


def test_a_result_does_not_differ_from_itself() -> None:
    same = result("ab", "x", citation("a", "one"))
    difference = compare(same, same)
    assert not difference.hits.gained + difference.hits.lost
    assert not difference.hits.moved
    assert not difference.citations.gained + difference.citations.lost
