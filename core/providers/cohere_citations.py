"""From Cohere's citations (a span of the answer, the documents behind it) to checked ones."""

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
    """The answer's text, and a citation for each cited span and passage behind it.

    A citation is dropped when its span is not in the answer, or when none of its sources is
    among the passages.
    """
    answer, starts = _text(message)
    by_id = {passage.chunk_id: passage for passage in passages}
    citations = [
        citation
        for cited in message.citations or []
        if cited.type in (None, "TEXT_CONTENT")
        for citation in _checked(cited, answer, starts.get(cited.content_index or 0, 0), by_id)
    ]
    return answer, tuple(citations)


def _text(message: AssistantMessageResponse) -> tuple[str, dict[int, int]]:
    """The text blocks joined, and where each (by its index among all blocks) begins."""
    answer = ""
    starts = {}
    for index, block in enumerate(message.content or []):
        if block.type == "text":
            starts[index] = len(answer)
            answer += block.text
    return answer, starts


def _checked(
    cited: CohereCitation, answer: str, offset: int, by_id: Mapping[str, Passage]
) -> Iterator[Citation]:
    span = _located(cited, answer, offset)
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


def _located(cited: CohereCitation, answer: str, offset: int) -> Span | None:
    """Where the cited text is, by its offsets if they are right, else by its words."""
    start, end = offset + (cited.start or 0), offset + (cited.end or 0)
    if cited.text and answer[start:end] != cited.text:
        start = answer.find(cited.text)
        end = start + len(cited.text)
    return (start, end) if 0 <= start < end <= len(answer) else None


def quoted_span(text: str, answer: str, cited: Span) -> Span | None:
    """The sentence of `text` that shares most words with the cited part of the answer.

    Then with the sentence around that part, then the shortest; none if `text` has none.
    """
    claim = words(answer[slice(*cited)])
    around = words(" ".join(answer[s:e] for s, e in sentence_spans(answer) if _meet((s, e), cited)))

    def closeness(span: Span) -> tuple[int, int, int]:
        found = words(text[slice(*span)])
        return len(found & claim), len(found & around), -len(found)

    return max(sentence_spans(text), key=closeness, default=None)


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
