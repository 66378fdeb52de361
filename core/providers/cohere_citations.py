"""Converts Cohere's citations (a span of the answer, its source documents) to checked ones."""

from collections.abc import Iterator, Mapping, Sequence

from cohere import AssistantMessageResponse
from cohere import Citation as CohereCitation

from core.contracts.query import Citation
from core.domain.sentences import Span, sentence_spans
from core.providers.base import Passage
from core.providers.matching import words


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
        quote = passage and quoted_span(passage.text, answer, span)
        if passage and quote:
            yield Citation(
                start=span[0],
                end=span[1],
                chunk_id=passage.chunk_id,
                document_id=passage.document_id,
                quote=passage.text[slice(*quote)],
                quote_start=quote[0],
                quote_end=quote[1],
            )


def _locate(cited: CohereCitation, answer: str, offset: int) -> Span | None:
    """Return the span of the cited text: its offsets if they are right, else its first match."""
    start, end = offset + (cited.start or 0), offset + (cited.end or 0)
    if cited.text and answer[start:end] != cited.text:
        start = answer.find(cited.text)
        end = start + len(cited.text)
    return (start, end) if 0 <= start < end <= len(answer) else None


def quoted_span(text: str, answer: str, cited: Span) -> Span | None:
    """Return the sentence of `text` that shares most words with the cited part of the answer.

    Ties are broken by the words of the sentences around the cited part, then by shortness.
    `None` if `text` has no sentence.
    """
    claim = words(answer[slice(*cited)])
    around = words(" ".join(answer[s:e] for s, e in sentence_spans(answer) if _meet((s, e), cited)))

    def closeness(span: Span) -> tuple[int, int, int]:
        found = words(text[slice(*span)])
        return len(found & claim), len(found & around), -len(found)

    return max(sentence_spans(text), key=closeness, default=None)


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
