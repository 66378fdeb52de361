"""Converts Cohere's citations (a span of the answer, its source documents) to checked ones."""

from collections.abc import Iterator, Mapping, Sequence

from cohere import AssistantMessageResponse
from cohere import Citation as CohereCitation

from core.contracts.query import Citation
from core.domain.text.sentences import Span
from core.providers.base import Passage
from core.providers.quotes import cite


def read_message(
    message: AssistantMessageResponse, passages: Sequence[Passage]
) -> tuple[str, tuple[Citation, ...]]:
    """Return the answer's text, and a citation for each cited span and each of its passages.

    A citation is dropped if its span is not in the answer, or none of its sources is a passage.
    """
    answer, starts = _text(message)
    by_id = {passage.chunk_id: passage for passage in passages}
    citations = [
        citation
        for cited in message.citations or []
        if cited.type in (None, "TEXT_CONTENT")
        for citation in _to_citations(cited, answer, starts.get(cited.content_index or 0, 0), by_id)
    ]
    return answer, tuple(citations)


def _text(message: AssistantMessageResponse) -> tuple[str, dict[int, int]]:
    """Return the joined text blocks, and the start of each by its index among all blocks."""
    answer = ""
    starts = {}
    for index, block in enumerate(message.content or []):
        if block.type == "text":
            starts[index] = len(answer)
            answer += block.text
    return answer, starts


def _to_citations(
    cited: CohereCitation, answer: str, offset: int, by_id: Mapping[str, Passage]
) -> Iterator[Citation]:
    span = _locate(cited, answer, offset)
    if span is None:
        return
    for identity in dict.fromkeys(source.id for source in cited.sources or []):
        passage = by_id.get(identity or "")
        if passage and (citation := cite(passage, answer, span)):
            yield citation


def _locate(cited: CohereCitation, answer: str, offset: int) -> Span | None:
    """Return the span of the cited text: its offsets if they are right, else its first match."""
    start, end = offset + (cited.start or 0), offset + (cited.end or 0)
    if cited.text and answer[start:end] != cited.text:
        start = answer.find(cited.text)
        end = start + len(cited.text)
    return (start, end) if 0 <= start < end <= len(answer) else None
