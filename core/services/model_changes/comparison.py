"""The comparison of two models on a sample of a library, by exact search.

A query is a sentence of a chunk, which the search should find again: known-item retrieval, as in
Beitzel et al., "Using titles and category names from editor-driven taxonomies for automatic
evaluation", 2003. It needs no judgements, and is the same for both models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.document import Chunk
from core.domain.library import Metric
from core.domain.model_change import ModelComparison, ModelScores
from core.domain.text.sentences import sentence_spans
from core.indexing.segment.rows import Rows
from core.indexing.vectors.exact import Vectors
from core.indexing.vectors.reference import ReferenceIndex
from core.indexing.vectors.vector_index import DEFAULT_PARAMS
from core.indexing.views.view import LibraryView
from core.ports.store import Snapshot
from core.services.embedding import TextEmbedding

Matrix: TypeAlias = NDArray[np.float32]

SAMPLED_ROWS = 5_000
QUERIES = 200
K = 10

_LEAST_CHARS = 20
"""The length of a sentence that can be looked for, if the chunk has one."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Chunks with their embeddings by both models, `(n, d) float32` each."""

    chunks: Sequence[Chunk]
    old: Matrix
    new: Matrix


def compare(
    view: LibraryView,
    snapshot: Snapshot,
    embedding: TextEmbedding,
    *,
    old_model: str,
    new_model: str,
) -> ModelComparison | None:
    """Compare the models on a sample of the view; `None` for a library without chunks.

    Raises:
        ProviderError: a provider failed.
    """
    sample = _take_sample(view, snapshot, new_model)
    if sample is None:
        return None
    metric, count = view.library.metric, len(sample.chunks)
    wanted = np.unique(np.linspace(0, count - 1, min(QUERIES, count)).astype(np.intp))
    texts = [_sentence_of(sample.chunks[i].text) for i in wanted.tolist()]
    old = _nearest(sample.old, embedding.queries(old_model, texts), metric)
    new = _nearest(sample.new, embedding.queries(new_model, texts), metric)
    shared = [len(np.intersect1d(a, b)) / len(a) for a, b in zip(old, new, strict=True)]
    return ModelComparison(
        rows=count,
        queries=len(texts),
        overlap_at_10=float(np.mean(shared)),
        old=_scores(old, wanted),
        new=_scores(new, wanted),
    )


def _take_sample(view: LibraryView, snapshot: Snapshot, new_model: str) -> _Sample | None:
    """Take evenly spaced rows that have a staged embedding."""
    row_ids = view.row_ids(view.matching(None))
    step = max(1, len(row_ids) // SAMPLED_ROWS)
    chosen = row_ids[::step][:SAMPLED_ROWS].tolist()
    by_id = {view.chunk(row_id).id: row_id for row_id in chosen}
    staged = snapshot.staged.get_many(view.library.id, new_model, list(by_id))
    ids = [id_ for id_ in by_id if id_ in staged]
    if not ids:
        return None
    return _Sample(
        [view.chunk(by_id[id_]) for id_ in ids],
        np.stack([view.embedding(by_id[id_]) for id_ in ids]),
        np.stack([staged[id_] for id_ in ids]),
    )


def _sentence_of(text: str) -> str:
    """Return the middle one of the text's sentences, of the long ones if there are any."""
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    long = [sentence for sentence in sentences if len(sentence) >= _LEAST_CHARS]
    candidates = long or sentences or [text]
    return candidates[len(candidates) // 2]


def _nearest(embeddings: Matrix, queries: Matrix, metric: Metric) -> NDArray[np.intp]:
    """Return the rows nearest to each query, `(q, min(K, n)) intp`, best first."""
    rows = Rows.empty(metric).with_embeddings(embeddings, np.arange(len(embeddings)))
    index = ReferenceIndex(Vectors(metric, rows.matrix, rows.norms))
    results = index.search(queries, K, DEFAULT_PARAMS, None)
    return np.stack([hits.rows[:K] for hits in results]).astype(np.intp)


def _scores(nearest: NDArray[np.intp], wanted: NDArray[np.intp]) -> ModelScores:
    """Score rankings by the rank of the one relevant row each: 1 / log2(rank + 1) is its nDCG."""
    hits = nearest == wanted[:, None]
    gains = 1 / np.log2(np.arange(2, nearest.shape[1] + 2))
    return ModelScores(
        recall_at_10=float(hits.any(axis=1).mean()),
        ndcg_at_10=float((hits * gains).sum(axis=1).mean()),
    )
