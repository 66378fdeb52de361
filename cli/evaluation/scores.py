"""Scores of a ranking (hit@k, nDCG) and of an answer's words (exact match, F1).

The words of an answer are compared as SQuAD's evaluation does (Rajpurkar et al., 2016): without
case, punctuation and English articles. A character of a script without spaces is a word.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log2

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_ARTICLES = {"a", "an", "the"}


def hit_at(k: int, places: Iterable[int]) -> float:
    """Return 1 if a place, from 1, is at most `k`, else 0."""
    return float(any(place <= k for place in places))


def ndcg_at(k: int, places: Iterable[int], relevant: int) -> float:
    """Return the normalised discounted cumulative gain, with a gain of 1 for each relevant item."""
    gain = sum(1 / log2(place + 1) for place in places if place <= k)
    ideal = sum(1 / log2(place + 1) for place in range(1, min(k, relevant) + 1))
    return gain / ideal if ideal else 0.0


def exact_match(answer: str, known: Sequence[str]) -> float:
    """Return 1 if the answer's words are those of a known answer, else 0."""
    words = answer_words(answer)
    return float(any(words == answer_words(one) for one in known))


def f1(answer: str, known: Sequence[str]) -> float:
    """Return the harmonic mean of precision and recall of words, by the best known answer."""
    words = answer_words(answer)
    return max((_f1(words, answer_words(one)) for one in known), default=0.0)


def is_quoted(known: Sequence[str], quotes: Iterable[str]) -> float:
    """Return 1 if a known answer is in a quote, word by word, else 0."""
    texts = [_pad(quote) for quote in quotes]
    return float(any(_pad(one) in text for one in known for text in texts))


def answer_words(text: str) -> list[str]:
    """Return the words that count, in order."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [word for word in _WORD.findall(folded) if word not in _ARTICLES]


def _f1(words: Sequence[str], known: Sequence[str]) -> float:
    common = (Counter(words) & Counter(known)).total()
    if not common:
        return 0.0
    precision, recall = common / len(words), common / len(known)
    return 2 * precision * recall / (precision + recall)


def _pad(text: str) -> str:
    return f" {' '.join(answer_words(text))} "
