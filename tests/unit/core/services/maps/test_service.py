"""Maps of small libraries, drawn in the background."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from core.domain.changes import (
    Change,
    ChunksDeleted,
    ChunksPut,
    DocumentPut,
    LibraryDeleted,
    LibraryPut,
)
from core.domain.document import EmbeddedChunk
from core.domain.errors import Invalid, NotFound, ProviderRejected
from core.domain.library import Metric
from core.indexing.views.catalog import Catalog
from core.services.maps import embedding_map, service
from core.services.maps.sample import Sample
from core.services.maps.service import MapService, MapView
from tests.fakes import FakeEmbedder
from tests.unit.core.builders import chunk, document, embedded, library
from tests.waiting import until


def _rows(count: int, start: int = 0) -> list[EmbeddedChunk]:
    generator = np.random.default_rng(start)
    return [
        embedded(
            chunk(f"c{start + i}", metadata={"n": i % 3}), generator.standard_normal(4).tolist()
        )
        for i in range(count)
    ]


class Case:
    def __init__(self) -> None:
        self.catalog = Catalog()
        embedder = FakeEmbedder("model", dimension=4)
        self.maps = MapService(self.catalog, {"model": embedder})
        self.fill(_rows(50))

    def fill(self, rows: list[EmbeddedChunk]) -> None:
        put = LibraryPut(library(metric=Metric.DOT, dimension=4, model="model"))
        self.apply(put, DocumentPut(document(title="t")), ChunksPut("L", rows))

    def apply(self, *changes: Change) -> None:
        self.catalog.apply(self.catalog.position + 1, changes)

    def current(self, color_by: str | None = None, text: str | None = None) -> MapView:
        """Return the map once it is current."""
        until(lambda: self.maps.look("L").value.is_current)
        return self.maps.look("L", color_by=color_by, text=text).value


@pytest.fixture
def case() -> Iterator[Case]:
    case = Case()
    case.maps.start()
    yield case
    case.maps.close()


def test_a_map_has_each_chunk_and_is_drawn_again_after_a_write(case: Case) -> None:
    first = case.current().map
    assert first is not None
    assert (len(first.chunk_ids), first.points.shape, first.total) == (50, (50, 2), 50)
    case.apply(ChunksPut("L", _rows(5, 100)), ChunksDeleted("L", ["c0"]))
    second = case.current().map
    assert second is not None
    assert second.position == case.catalog.position
    assert set(second.chunk_ids) == {*first.chunk_ids, *(f"c{100 + i}" for i in range(5))} - {"c0"}


def test_a_library_created_again_has_another_map(case: Case) -> None:
    case.current()
    case.apply(LibraryDeleted("L"))
    case.fill(_rows(50, 100))
    drawn = case.current().map
    assert drawn is not None
    assert drawn.chunk_ids[0] == "c100"


def test_the_last_map_is_there_until_the_next_is_drawn() -> None:
    case = Case()
    before = case.maps.look("L").value
    assert (before.map, before.is_current) == (None, False)
    case.maps.start()
    drawn = case.current().map
    case.maps.close()
    case.apply(ChunksDeleted("L", ["c1"]))
    stale = case.maps.look("L", color_by="n").value
    assert (stale.map, stale.is_current) == (drawn, False)
    assert stale.values is not None
    assert stale.values[:4] == [0, None, 2, 0]


def test_another_model_makes_another_map(case: Case) -> None:
    case.current()
    moved = replace(library(metric=Metric.DOT, dimension=4), embedding_model="other")
    case.apply(LibraryPut(moved))
    drawn = case.current().map
    assert drawn is not None
    assert drawn.model == "other"
    with pytest.raises(ProviderRejected):
        case.maps.look("L", text="query")


def test_a_query_has_a_place(case: Case) -> None:
    query = case.current(text="query").query
    assert query is not None
    assert query.shape == (2,)


def test_a_refused_request_names_its_field(case: Case) -> None:
    case.apply(LibraryPut(library("own", name="own")))
    with pytest.raises(NotFound):
        case.maps.look("none")
    with pytest.raises(Invalid, match="/color_by"):
        case.maps.look("L", color_by="chunk.colour")
    with pytest.raises(Invalid, match="/text"):
        case.maps.look("own", text="query")


def test_an_empty_library_has_an_empty_map(case: Case) -> None:
    case.apply(ChunksDeleted("L", [f"c{i}" for i in range(50)]))
    drawn = case.current(text="query").map
    assert drawn is not None
    assert (drawn.total, drawn.chunk_ids, drawn.health.probed) == (0, [], 0)


def test_the_report_names_copies_outliers_and_vectors_without_length(case: Case) -> None:
    case.apply(
        ChunksPut(
            "L",
            [
                embedded(chunk("one"), (9, 9, 9, 9)),
                embedded(chunk("copy"), (9, 9, 9, 9.01)),
                embedded(chunk("zero"), (0, 0, 0, 0)),
            ],
        )
    )
    drawn = case.current().map
    assert drawn is not None
    health = drawn.health
    assert health.degenerate == ("zero",)
    pairs = {frozenset((pair.chunk_id, pair.nearest_id)) for pair in health.near_duplicates}
    assert frozenset(("one", "copy")) in pairs
    assert health.near_duplicates[0].similarity == pytest.approx(1, abs=1e-3)
    similarities = [pair.similarity for pair in health.outliers]
    assert similarities == sorted(similarities)


def test_a_large_library_is_sampled_evenly(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_map, "MAX_POINTS", 20)
    drawn = case.current().map
    assert drawn is not None
    assert (drawn.total, drawn.chunk_ids) == (50, [f"c{i}" for i in range(0, 50, 3)])


def test_a_sample_is_even_over_segments() -> None:
    case = Case()
    view = case.catalog.library("L")
    [segment] = view.segments
    both = replace(view, segments=(replace(segment, first=-100), segment))
    assert [rows.tolist() for rows in Sample.of(both, 15).rows] == [
        [*range(0, 50, 7)],
        [*range(6, 50, 7)],
    ]


def test_a_few_maps_are_kept(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_MAPS", 1)
    case.current()
    case.apply(LibraryPut(library("other", name="other")))
    until(lambda: case.maps.look("other").value.is_current)
    assert case.maps.look("L").value.map is None
