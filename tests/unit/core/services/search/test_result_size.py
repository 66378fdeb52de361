"""A batch beyond the limit is refused before it is searched, and no answer that would fit is."""

from collections.abc import Callable

import pytest

from core.domain import filters
from core.domain.errors import Invalid
from core.indexing.views.next_view import with_chunks, with_documents
from core.indexing.views.view import LibraryView
from core.services.search import result_size
from core.services.search.ranking import CheckedSearch
from core.services.search.request import SearchRequest
from core.services.search.result_size import ResultSize
from tests.samples import a_document, a_library, a_row
from tests.unit.core.indexing.segments import sealed

Batch = Callable[..., list[CheckedSearch]]


@pytest.fixture(params=["delta", "sealed"])
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """Return a maker of batches over 3 rows, with limits in proportion."""
    monkeypatch.setattr(result_size, "_MANY_HITS", 10)
    monkeypatch.setattr(result_size, "MAX_RESULT_BYTES", 1_000)
    colours = {"a": "blue", "b": "red", "c": "red"}
    rows = [
        a_row(id_, text="twenty characters...", metadata={"colour": colour})
        for id_, colour in colours.items()
    ]
    view = with_documents(LibraryView.empty(a_library()), [a_document()])
    view = with_chunks(view, rows)
    view = sealed(view) if request.param == "sealed" else view

    def make(searches: int, **changes: object) -> list[CheckedSearch]:
        search = SearchRequest("lib", **{"k": 3, "include": (), **changes})  # type: ignore[arg-type]
        parsed = None if search.filter is None else filters.parse(search.filter)
        return [CheckedSearch(search, f"/searches/{i}", view, parsed) for i in range(searches)]

    return make


# A hit without fields takes 61 bytes here: 57, and the ids `a` and `doc`.

BLUE = {"filter": {"field": "colour", "op": "eq", "value": "blue"}}


def test_a_batch_within_the_limit_passes(batch: Batch) -> None:
    ResultSize(batch(5))


def test_the_first_search_over_the_limit_is_named(batch: Batch) -> None:
    with pytest.raises(Invalid) as caught:
        ResultSize(batch(8))
    assert [fault.pointer for fault in caught.value.faults] == ["/searches/5/k"]


def test_texts_count_if_they_are_included(batch: Batch) -> None:
    with pytest.raises(Invalid) as caught:
        ResultSize(batch(5, include=("text",)))
    assert [fault.pointer for fault in caught.value.faults] == ["/searches/3/k"]


def test_the_matches_of_a_filter_count(batch: Batch) -> None:
    ResultSize(batch(16, **BLUE))
    with pytest.raises(Invalid) as caught:
        ResultSize(batch(17, **BLUE))
    assert [fault.pointer for fault in caught.value.faults] == ["/searches/16/k"]


@pytest.mark.parametrize("fewer", [{"group_by": "document_id"}, {"mode": "lexical"}])
def test_hits_that_may_be_missing_count_once_they_are_known(
    batch: Batch, fewer: dict[str, str]
) -> None:
    searches = batch(100, **fewer)
    size = ResultSize(searches)
    for search in searches[:16]:
        size.add(search, 1)
    with pytest.raises(Invalid) as caught:
        size.add(searches[16], 1)
    assert [fault.pointer for fault in caught.value.faults] == ["/searches/16/k"]


def test_known_hits_count_once(batch: Batch) -> None:
    searches = [*batch(5), *batch(1, mode="lexical")]
    size = ResultSize(searches)
    for search in searches:
        size.add(search, 1)
