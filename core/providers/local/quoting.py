"""The choice of what an extractive answer quotes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from core.domain.text.quotable import QuotableKind, quotable_spans
from core.domain.text.sentences import Span, is_code, is_heading
from core.providers.base import Passage
from core.providers.local.duplicates import say_the_same
from core.providers.local.matching import Sentence
from core.providers.words import word_sequence

_MAX_SOURCES = 5
_MIN_SCORE_SHARE = 0.5
"""The share of the best quote's score from which a source is quoted."""
_MIN_NEIGHBOUR_SHARE = 0.5
"""The share of a quote's score from which the sentence before or after it is quoted too."""
_MIN_WORDS = 4
_ASKS_FOR_CODE = re.compile(
    r"\b(?:code|snippet|syntax|example|command|script|regex|sql|json|yaml|beispiel|befehl|exemple"
    r"|commande|ejemplo|comando|c[oó]digo)s?\b|示例|例子|代码|命令|コード|コマンド|サンプル|โค้ด|คำสั่ง",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotable part of a passage, `text[start:end]`, with the score of its best sentence.

    `header` is the header of a row's table.
    """

    passage: int
    kind: QuotableKind
    start: int
    end: int
    score: float
    header: Span | None = None


def choose(
    query: str, sentences: Sequence[Sentence], passages: Sequence[Passage]
) -> Iterator[Quote]:
    """Yield the best quote of each source, in the order of the passages.

    Statements of a source are taken if it has any, and code blocks if the question asks for code or
    the source has nothing else.
    """
    wants_code = _ASKS_FOR_CODE.search(query) is not None
    sources = [
        _candidates(own, passages, wants_code=wants_code)
        for own in _by_source(_quotes(sentences, passages), passages)
    ]
    quotes = [quote for own in sources for quote in own]
    if not quotes:
        return
    top = max(quote.score for quote in quotes)
    least = top - (1 - _MIN_SCORE_SHARE) * abs(top)
    said: list[str] = []
    for own in sources:
        best = max(own, key=lambda quote: (quote.score, quote.kind == "code"))
        text = _text(best, passages)
        if best.score < least or any(say_the_same(text, other) for other in said):
            continue
        yield best if said else _with_neighbour(best, own, passages)
        said.append(text)
        if len(said) == _MAX_SOURCES:
            return


def _candidates(
    quotes: Sequence[Quote], passages: Sequence[Passage], *, wants_code: bool
) -> Sequence[Quote]:
    """Return which quotes of a source may be taken."""
    wanted = [quote for quote in quotes if wants_code or quote.kind != "code"]
    statements = [quote for quote in wanted if _is_statement(quote, _text(quote, passages))]
    return statements or wanted or quotes


def _quotes(sentences: Sequence[Sentence], passages: Sequence[Passage]) -> Iterator[Quote]:
    """Yield what may be quoted of each passage, as far as sentences of it were scored.

    A code block counts as much as the sentence before it, which says what the code is for.
    """
    for n, passage in enumerate(passages):
        own = [sentence for sentence in sentences if sentence.passage == n]
        before = -1.0
        for span in quotable_spans(passage.text):
            scores = [s.score for s in own if s.start < span.end and span.start < s.end]
            if scores:
                score = max(*scores, before) if span.kind == "code" else max(scores)
                yield Quote(n, span.kind, span.start, span.end, score, span.header)
                before = score


def _by_source(quotes: Iterable[Quote], passages: Sequence[Passage]) -> Iterable[list[Quote]]:
    sources: dict[str, list[Quote]] = {}
    for quote in quotes:
        sources.setdefault(passages[quote.passage].document_id, []).append(quote)
    return sources.values()


def _with_neighbour(best: Quote, quotes: Sequence[Quote], passages: Sequence[Passage]) -> Quote:
    """Return a sentence with the better of its neighbours in the paragraph, if that is close."""
    at = quotes.index(best)
    text = passages[best.passage].text
    near = [
        one
        for one in (*quotes[max(0, at - 1) : at], *quotes[at + 1 : at + 2])
        if one.passage == best.passage
        and one.kind == best.kind == "prose"
        and one.score >= _MIN_NEIGHBOUR_SHARE * best.score
        and text[min(one.end, best.end) : max(one.start, best.start)].count("\n") <= 1
    ]
    if not near:
        return best
    other = max(near, key=lambda quote: quote.score)
    return replace(best, start=min(best.start, other.start), end=max(best.end, other.end))


def _text(quote: Quote, passages: Sequence[Passage]) -> str:
    return passages[quote.passage].text[quote.start : quote.end]


def _is_statement(quote: Quote, text: str) -> bool:
    if quote.kind != "prose":
        return True
    return (
        len(word_sequence(text)) >= _MIN_WORDS
        and not text.endswith(("?", ":", "？", "："))
        and not is_heading(text)
        and not is_code(text)
    )
