"""Hybrid rankings against a plain calculation over all chunks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.filters import parse
from core.domain.library import Language, Metric
from core.indexing.lexical.bm25 import LexicalIndex, LexicalReader
from core.indexing.query.hybrid import Weights, hybrid, lexical
from core.indexing.views.next_view import freeze_delta, with_chunks, with_documents, without_chunks
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import chunk, document, embedded, library

WORDS = ["red", "green", "blue", "grey"]


def build_library(seed: int, metric: Metric, n: int = 60) -> tuple[LibraryView, LexicalReader]:
    """Build a library of two segments with some rows deleted, and its lexical reader."""
    rng = np.random.default_rng(seed)
    view = with_documents(LibraryView.empty(library(metric=metric)), [document()])
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, 5))) for _ in range(n)]
    points = rng.integers(1, 5, (n, 2)).tolist()
    rows = [
        embedded(chunk(f"c{i:02}", text=text, metadata={"n": i}), point)
        for i, (text, point) in enumerate(zip(texts, points, strict=True))
    ]
    view = with_chunks(freeze_delta(with_chunks(view, rows[: n // 2])), rows[n // 2 :])
    view = without_chunks(view, [f"c{i:02}" for i in range(0, n, 7)])
    live = view.row_ids(view.matching(None)).tolist()
    reader = LexicalIndex(Language.NONE).change(((s, view.chunk(s).text) for s in live), [])
    return view, reader


@settings(max_examples=40)
@given(
    st.integers(0, 1_000),
    st.sampled_from(Metric),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    st.integers(1, 60),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.booleans(),
)
def test_the_best_of_all_by_both_scores(
    seed: int, metric: Metric, text: str, k: int, weight: float, filtered: bool
) -> None:
    view, reader = build_library(seed, metric)
    query = np.array([1, 2], np.float32)
    filter_ = parse({"field": "n", "op": "lt", "value": 40}, None) if filtered else None
    matches = view.matching(filter_)
    weights = Weights(weight, 1 - weight)
    ranking = hybrid(view, reader, text, query, k, weights=weights, matches=matches)

    [near] = view.search(query[np.newaxis], 100, matches=matches)
    span = np.ptp(near.scores)
    vector = (near.scores - near.scores.min()) / span if span else np.ones(len(near.scores))
    words = reader.scores(text, near.row_ids)
    words = words / words.max() if words.any() else words
    scores = weight * vector + (1 - weight) * words
    ids = [view.chunk(row_id).id for row_id in near.row_ids.tolist()]
    order = sorted(range(len(ids)), key=lambda i: (-scores[i], ids[i]))[:k]
    assert [view.chunk(row_id).id for row_id in ranking.row_ids.tolist()] == [ids[i] for i in order]
    assert ranking.scores.tolist() == pytest.approx(scores[order])
    assert len(order) == min(k, matches.count)


def test_what_only_the_words_find_has_its_vector_score_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.indexing.query.hybrid._LEAST_POOL", 1)
    view, _ = build_library(1, Metric.COSINE)
    live = view.row_ids(view.matching(None)).tolist()
    query = np.array([1, 2], np.float32)
    [ranking] = view.search(query[np.newaxis], len(live))
    last = int(ranking.row_ids[-1])
    reader = LexicalIndex(Language.NONE).change(
        [(s, "red" if s == last else "x") for s in live], []
    )
    [near] = view.search(query[np.newaxis], 8)
    ranking = hybrid(view, reader, "red", query, 2, weights=Weights(0.5, 0.5))
    assert ranking.row_ids.tolist() == [last, near.row_ids[0]] or near.scores[0] == near.scores[1]
    assert ranking.scores.tolist() == pytest.approx([0.5, 0.5])


def test_lexical_ties_go_by_chunk_id() -> None:
    view = with_documents(LibraryView.empty(library()), [document()])
    ids = ["b", "d", "a", "c"]
    view = with_chunks(view, [embedded(chunk(id_, text="same")) for id_ in ids])
    reader = LexicalIndex(Language.ENGLISH).change(((i, "same") for i in range(4)), [])
    ranking = lexical(view, reader, "same", 3)
    assert [view.chunk(row_id).id for row_id in ranking.row_ids.tolist()] == ["a", "b", "c"]
