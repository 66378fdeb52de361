"""A metric is a form by dot products, a form with a correction, or a score alone."""

from dataclasses import replace
from typing import cast, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain.library import IndexKind, IndexSpec, Metric
from core.indexing.maintenance.index_factory import build_index
from core.indexing.maintenance.segment_builder import SegmentBuilder
from core.indexing.vectors.metric import FORMS, MetricForm
from core.indexing.vectors.reference import ReferenceIndex
from core.indexing.views.next_view import with_chunks, with_documents
from core.indexing.views.view import LibraryView
from nalanda._models import entities as models
from tests.unit.core.builders import chunk, document, embedded, library
from tests.unit.core.indexing.segments import sealed

COUNT, K = 60, 7
ROWS = np.random.default_rng(1).standard_normal((COUNT, 3)).astype(np.float32)
QUERY = np.array([[0.3, -1.0, 0.5]], np.float32)
Doubles = NDArray[np.float64]


def view_of(metric: Metric) -> LibraryView:
    view = with_documents(LibraryView.empty(library(metric=metric)), [document()])
    return with_chunks(
        view, [embedded(chunk(f"c{i:02}"), tuple(row)) for i, row in enumerate(ROWS.tolist())]
    )


def forms() -> dict[Metric, MetricForm]:
    return cast("dict[Metric, MetricForm]", FORMS)


def test_every_metric_has_a_form() -> None:
    assert set(FORMS) == set(Metric)
    assert all(form.is_cosine == metric.ignores_length for metric, form in FORMS.items())


def test_the_client_knows_every_metric() -> None:
    assert get_args(models.Metric) == tuple(Metric)


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_metric_may_correct_the_scores_of_a_form(
    monkeypatch: pytest.MonkeyPatch, is_sealed: bool
) -> None:
    def negative_angles(cosines: Doubles) -> Doubles:
        return -np.arccos(np.clip(cosines, -1, 1))

    angular = replace(FORMS[Metric.COSINE], correction=negative_angles)
    [cosines] = view_of(Metric.COSINE).search(QUERY, K)
    monkeypatch.setitem(forms(), Metric.COSINE, angular)
    view = view_of(Metric.COSINE)
    [ranking] = (sealed(view) if is_sealed else view).search(QUERY, K)
    assert ranking.row_ids.tolist() == cosines.row_ids.tolist()
    assert ranking.scores.tolist() == negative_angles(cosines.scores).tolist()


@pytest.mark.parametrize("is_sealed", [False, True])
def test_rows_are_scanned_by_numpy_where_dot_products_do_not_rank_them(
    monkeypatch: pytest.MonkeyPatch, is_sealed: bool
) -> None:
    def manhattan(rows: Doubles, query: Doubles) -> Doubles:
        return np.asarray(-np.abs(rows - query).sum(axis=1))

    monkeypatch.setitem(forms(), Metric.L2, MetricForm(manhattan))
    view = view_of(Metric.L2)
    view.runtime.delta.use_kernels()
    if is_sealed:
        view = replace(view, library=replace(view.library, index=IndexSpec(IndexKind.HNSW)))
        view = sealed(view, segment_builder=SegmentBuilder(build_index=build_index))
        assert isinstance(view.segments[0].index, ReferenceIndex)
    [ranking] = view.search(QUERY, K)
    expected = manhattan(ROWS.astype(np.float64), QUERY[0].astype(np.float64))
    assert ranking.row_ids.tolist() == np.argsort(-expected)[:K].tolist()
    assert ranking.scores.tolist() == np.sort(expected)[::-1][:K].tolist()
