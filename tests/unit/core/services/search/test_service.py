import math
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from core.domain.changes import ChunksPut, DocumentPut, LibraryPut
from core.domain.document import Embedding
from core.domain.errors import Behind, Invalid, NotFound, ProviderRejected
from core.domain.library import Metric
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from core.indexing.query.hybrid import lexical
from core.indexing.views.catalog import Catalog
from core.indexing.views.view import LibraryView
from core.services.search import result_size
from core.services.search.service import Plan, SearchRequest, SearchResult, SearchService
from tests.fakes import FakeEmbedder
from tests.unit.core.builders import chunk, document, embedded, library

HYBRID: dict[str, Any] = {"mode": "hybrid", "text": "x", "embedding": np.ones(2, np.float32)}
SCHEMA = MetadataSchema({"n": FieldRule(FieldType.INTEGER)}, additional=False)


def vector(*numbers: float) -> Embedding:
    return np.array(numbers, np.float32)


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder("model", dimension=4)


@pytest.fixture
def service(embedder: FakeEmbedder) -> SearchService:
    """`own`: the client's vectors; `texts`: the model's; `empty`; `lost`: of an unknown model."""
    catalog = Catalog()
    points = [
        embedded(
            chunk(f"c{i}", document_id=f"d{i % 2}", metadata={"n": i}, text=f"text {i}"), (i, 0)
        )
        for i in range(6)
    ]
    texts = ["red", "green", "blue"]
    made = embedder.embed(texts, "document").tolist()
    embedder.embedded.clear()
    embedder.batches.clear()
    catalog.apply(
        1,
        [
            LibraryPut(library("own", name="mine", schema=SCHEMA)),
            *(DocumentPut(document(f"d{i}", library_id="own", title=f"t{i}")) for i in range(2)),
            ChunksPut("own", points),
            LibraryPut(library("texts", metric=Metric.COSINE, dimension=4, model="model")),
            DocumentPut(document(library_id="texts")),
            ChunksPut(
                "texts",
                [embedded(chunk(t, text=t), v) for t, v in zip(texts, made, strict=True)],
            ),
            LibraryPut(library("empty", metric=Metric.COSINE, dimension=None)),
            LibraryPut(library("lost", model="gone")),
            DocumentPut(document(library_id="lost")),
            ChunksPut("lost", [embedded(chunk())]),
        ],
    )
    return SearchService(catalog, {"model": embedder}, min_position_wait_s=0.01)


def request(ref: str = "own", **fields: Any) -> SearchRequest:
    if "text" not in fields:
        fields.setdefault("embedding", vector(5, 0))
    return SearchRequest(ref, **fields)


def ids(answer: SearchResult) -> list[str]:
    return [hit.chunk.id for hit in answer.hits]


def pointers(caught: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [fault.pointer for fault in caught.value.faults]


def test_hits_come_with_chunk_document_score_plan_and_position(service: SearchService) -> None:
    answer = service.search(request("mine", k=2, include=["document"]))
    assert ids(answer) == ["c5", "c4"]
    best, second = answer.hits
    assert (best.score, second.score) == (0.0, -1.0)
    assert best.document is not None
    assert best.document.title == "t1"
    assert best.embedding is None
    assert answer.plan == Plan(index="flat", filter="none", matches=None, exact=True)
    assert answer.position == 1
    assert answer.took_ms > 0


def test_a_filter_leaves_exactly_what_matches(service: SearchService) -> None:
    few = {"field": "n", "op": "lt", "value": 2}
    answer = service.search(request(filter=few))
    assert ids(answer) == ["c1", "c0"]
    assert answer.plan == Plan("flat", "exact_over_matches", matches=2, exact=True)
    of_document = {"field": "document.title", "op": "eq", "value": "t0"}
    assert ids(service.search(request(filter=of_document, k=2))) == ["c4", "c2"]
    none = {"field": "n", "op": "lt", "value": 0}
    answer = service.search(request(filter=none))
    assert (list(answer.hits), answer.plan.matches) == ([], 0)


def test_groups_have_the_best_hit_of_each_document(service: SearchService) -> None:
    assert ids(service.search(request(group_by="document_id"))) == ["c5", "c4"]
    assert ids(service.search(request(group_by="document_id", k=1))) == ["c5"]
    few = {"field": "n", "op": "in", "value": [0, 2]}
    assert ids(service.search(request(group_by="document_id", filter=few))) == ["c2"]


def test_embeddings_are_included_as_they_were_given(service: SearchService) -> None:
    [hit] = service.search(request(k=1, include=["embedding"])).hits
    assert hit.embedding is not None
    assert hit.embedding.tolist() == [5, 0]


def test_words_are_found_in_any_library(service: SearchService) -> None:
    answer = service.search(request(text="TEXT 3!", mode="lexical", k=2))
    assert ids(answer) == ["c3", "c0"]
    assert answer.hits[0].score > answer.hits[1].score > 0
    assert answer.plan == Plan("lexical", "none", matches=None, exact=True)
    assert ids(service.search(request(text="4 of the 2", mode="lexical"))) == ["c2", "c4"]
    assert not service.search(request(text="the", mode="lexical")).hits
    assert not service.search(request("empty", text="text", mode="lexical")).hits


def test_words_are_found_among_what_matches(service: SearchService) -> None:
    few = {"field": "n", "op": "gte", "value": 4}
    answer = service.search(request(text="text 2", mode="lexical", filter=few))
    assert ids(answer) == ["c4", "c5"]
    assert answer.plan == Plan("lexical", "exact_over_matches", matches=2, exact=True)
    assert ids(service.search(request(text="2", mode="lexical", filter=few))) == []
    grouped = request(text="text 2", mode="lexical", group_by="document_id")
    assert ids(service.search(grouped)) == ["c2", "c1"]


def test_hybrid_search_weighs_both(service: SearchService) -> None:
    both: dict[str, Any] = {"mode": "hybrid", "text": "3", "embedding": vector(5, 0)}
    answer = service.search(request(**both))
    # By vector c5 is the best, by words c3 alone.
    assert ids(answer) == ["c3", "c5", "c4", "c2", "c1", "c0"]
    assert [hit.score for hit in answer.hits[:2]] == pytest.approx([0.7 + 0.3 * 3 / 5, 0.3])
    assert answer.plan == Plan("hybrid", "none", matches=None, exact=True)
    nearly_all = {"vector": 0.9, "lexical": 0.1}
    assert ids(service.search(request(**both, weights=nearly_all, k=2))) == ["c5", "c4"]
    few = {"field": "n", "op": "lt", "value": 3}
    assert ids(service.search(request(**both, filter=few, k=2))) == ["c2", "c1"]
    assert ids(service.search(request(**both, group_by="document_id"))) == ["c3", "c4"]
    assert not service.search(request("empty", **both)).hits


def test_hybrid_search_embeds_the_text(service: SearchService, embedder: FakeEmbedder) -> None:
    assert ids(service.search(request("texts", text="green", mode="hybrid", k=1))) == ["green"]
    assert embedder.embedded == ["green"]


def test_text_is_embedded_by_the_library_s_model(
    service: SearchService, embedder: FakeEmbedder
) -> None:
    answer = service.search(request("texts", text="green", k=1))
    assert ids(answer) == ["green"]
    assert answer.hits[0].score == 1.0
    assert embedder.embedded == ["green"]


def test_an_empty_library_has_no_hits(service: SearchService, embedder: FakeEmbedder) -> None:
    for wanted in (request("empty"), request("empty", text="x"), request("empty", k=10_000)):
        answer = service.search(wanted)
        assert (list(answer.hits), answer.position) == ([], 1)
    assert not embedder.embedded


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"embedding": None}, "/embedding"),
        ({"embedding": vector(1, 2), "text": "x"}, "/text"),
        ({"embedding": vector(1, 2, 3)}, "/embedding"),
        ({"embedding": vector(np.nan, 1)}, "/embedding"),
        ({"ref": "empty", "embedding": vector(0, 0)}, "/embedding"),
        ({"text": "x"}, "/text"),
        ({"k": 0}, "/k"),
        ({"k": 10_001}, "/k"),
        ({"mode": "lexical"}, "/embedding"),
        ({"mode": "lexical", "embedding": None}, "/text"),
        ({"mode": "hybrid"}, "/text"),
        ({"mode": "hybrid", "text": "x"}, "/embedding"),
        ({"mode": "lexical", "text": "x", "weights": {"vector": 1, "lexical": 1}}, "/weights"),
        ({**HYBRID, "weights": {"vector": 1}}, "/weights"),
        ({**HYBRID, "weights": {"vector": 1, "lexical": -1}}, "/weights/lexical"),
        ({**HYBRID, "weights": {"vector": np.nan, "lexical": 1}}, "/weights/vector"),
        ({**HYBRID, "weights": {"vector": 0, "lexical": 0}}, "/weights"),
        ({"mode": "psychic"}, "/mode"),
        ({"include": ["text", "vectors"]}, "/include/1"),
        ({"group_by": "n"}, "/group_by"),
        ({"embedding_model": "model"}, "/embedding_model"),
        ({"parameters": {"ef": 0}}, "/parameters/ef"),
        ({"parameters": {"a/b": 1}}, "/parameters/a~1b"),
        ({"filter": {"field": "n", "op": "eq", "value": "1"}}, "/filter/value"),
        ({"filter": {"field": "gone", "op": "eq", "value": 1}}, "/filter/field"),
        ({"filter": []}, "/filter"),
    ],
)
def test_a_request_that_breaks_a_rule(
    service: SearchService, fields: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Invalid) as caught:
        service.search(request(**fields))
    assert pointers(caught) == [pointer]
    with pytest.raises(Invalid) as caught:
        service.search_many([request(), request(**fields), request(k=0)])
    assert pointers(caught) == [f"/searches/1{pointer}", "/searches/2/k"]


def test_unknown_things_are_named(service: SearchService) -> None:
    with pytest.raises(NotFound):
        service.search(request("gone"))
    with pytest.raises(Behind):
        service.search(request(min_position=2))
    with pytest.raises(ProviderRejected, match="gone"):
        service.search(request("lost", text="x"))


def test_parameters_of_other_indexes_change_nothing(service: SearchService) -> None:
    wanted = request(parameters={"ef": 64, "nprobe": 8}, exact=True, min_position=1)
    assert ids(service.search(wanted)) == ids(service.search(request()))


def test_many_searches_are_answered_as_each_alone(
    service: SearchService, embedder: FakeEmbedder
) -> None:
    wanted = [
        request(k=3),
        request("texts", text="red", k=1),
        request("empty", text="x"),
        request("own", text="text 2", mode="lexical", k=2),
        request("texts", text="blue", k=1, mode="hybrid"),
        request(filter={"field": "n", "op": "eq", "value": 2}),
    ]
    answers = service.search_many(wanted)
    assert embedder.batches == [2]
    assert [ids(answer) for answer in answers] == [ids(service.search(each)) for each in wanted]
    assert service.search_many([]) == []


@pytest.mark.parametrize(
    ("fields", "named", "searches"),
    [
        ({}, 2, 0),
        ({"filter": {"field": "n", "op": "gte", "value": 0}}, 2, 0),
        ({"text": "text", "mode": "lexical"}, 2, 3),
        ({"group_by": "document_id"}, 8, 9),
    ],
)
def test_a_batch_ends_at_the_search_that_makes_it_too_large(
    service: SearchService,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    named: int,
    searches: int,
) -> None:
    """A hit takes 61 bytes here, so that 16 fit: a grouped search has 2, and any other one 6."""
    monkeypatch.setattr(result_size, "_MANY_HITS", 1)
    monkeypatch.setattr(result_size, "MAX_RESULT_BYTES", 1_000)
    by_words = Mock(wraps=lexical)
    by_vectors = Mock(wraps=service._catalog.state.library("own").search)
    monkeypatch.setattr("core.services.search.ranking.lexical", by_words)
    monkeypatch.setattr(LibraryView, "search", by_vectors)
    with pytest.raises(Invalid) as caught:
        service.search_many([request(include=(), **fields)] * 20)
    assert pointers(caught) == [f"/searches/{named}/k"]
    assert by_words.call_count + by_vectors.call_count == searches


def test_only_what_can_not_wait_is_estimated_to_be_quick(service: SearchService) -> None:
    plain = service.estimate_us(request())
    assert plain < 200
    assert plain < service.estimate_us(request(filter={"field": "n", "op": "eq", "value": 1}))
    assert service.estimate_us(request(k=1000)) > 200
    assert service.estimate_us(request(text="x")) == math.inf
    assert service.estimate_us(request(min_position=2)) == math.inf
    assert service.estimate_us(request("gone")) < 200


def test_a_listing_is_filtered_ordered_and_goes_on(service: SearchService) -> None:
    wanted = {"field": "n", "op": "gte", "value": 1}
    first = service.page("mine", filter=wanted, order_by="-n", limit=3)
    assert [c.id for c in first.value.chunks] == ["c5", "c4", "c3"]
    assert first.position == 1
    after = first.value.after
    rest = service.page("own", filter=wanted, order_by="-n", after=after, limit=3)
    assert [c.id for c in rest.value.chunks] == ["c2", "c1"]
    assert rest.value.after is None
    everything = service.page("own", limit=10).value
    assert [c.id for c in everything.chunks] == [f"c{i}" for i in range(6)]


def test_a_listing_that_breaks_a_rule(service: SearchService) -> None:
    with pytest.raises(Invalid) as caught:
        service.page("own", filter={"field": "gone", "op": "eq", "value": 1}, limit=1)
    assert pointers(caught) == ["/filter/field"]
    with pytest.raises(Invalid) as caught:
        service.page("own", order_by="gone", limit=1)
    assert pointers(caught) == ["/order_by"]
    with pytest.raises(NotFound):
        service.page("gone", limit=1)
    with pytest.raises(Behind):
        service.page("own", limit=1, min_position=2)


def test_the_index_says_what_it_is(service: SearchService) -> None:
    status = service.index("mine")
    assert (status.value.vectors, status.position) == (6, 1)
    with pytest.raises(NotFound):
        service.index("gone")
