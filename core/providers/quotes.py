"""Citations: the span of an answer, and the sentence of a passage that supports it."""

from core.contracts.query import Citation
from core.domain.text.sentences import Span, sentence_spans
from core.providers.base import Passage
from core.providers.words import words


def cite(passage: Passage, answer: str, span: Span) -> Citation | None:
    """Cite a passage for a span of the answer; `None` if the passage has no sentence."""
    quote = quoted_span(passage.text, answer, span)
    if quote is None:
        return None
    return Citation(
        start=span[0],
        end=span[1],
        chunk_id=passage.chunk_id,
        document_id=passage.document_id,
        quote=passage.text[slice(*quote)],
        quote_start=quote[0],
        quote_end=quote[1],
    )


def quoted_span(text: str, answer: str, cited: Span) -> Span | None:
    """Return the sentence of `text` that shares most words with the cited part of the answer.

    Ties are broken by the words of the sentences around the cited part, then by shortness.
    `None` if `text` has no sentence.
    """
    claim = words(answer[slice(*cited)])
    around = words(" ".join(answer[s:e] for s, e in sentence_spans(answer) if _meet((s, e), cited)))

    def closeness(span: Span) -> tuple[int, int, int]:
        shared = words(text[slice(*span)])
        return len(shared & claim), len(shared & around), -len(shared)

    return max(sentence_spans(text), key=closeness, default=None)


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
