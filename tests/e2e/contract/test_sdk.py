"""Every call through both SDK clients, with errors as exceptions."""

from array import array
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

import nalanda
from nalanda import Nalanda
from tests.waiting import until

PATIENCE_S = 30
QUESTION = "How deep is the harbour of Tamralipti?"


@pytest.fixture(params=["sdk", "sdk_async"])
def client(request: pytest.FixtureRequest) -> Nalanda:
    client: Nalanda = request.getfixturevalue(request.param)
    return client


@pytest.fixture
def filled(client: Nalanda, name: str) -> str:
    """Return a library with the document `d`, which has the chunks `a` and `b`."""
    client.libraries.create(
        name, dimension=2, metadata_schema={"fields": {"n": {"type": "integer"}}}
    )
    client.documents.replace(
        name,
        "d",
        title="T",
        chunks=[
            {"id": "a", "text": "First.", "embedding": [1, 0], "metadata": {"n": 1}},
            {"id": "b", "text": "Second.", "embedding": array("f", [0, 1]), "metadata": {"n": 2}},
        ],
    )
    return name


def test_libraries(client: Nalanda, name: str) -> None:
    created = client.libraries.create(name, description="D", metadata={"n": 1}, metric="l2")

    assert client.libraries.get(name) == client.libraries.get(created.id) == created
    assert list(client.libraries.list(name)) == [created]
    assert created.id in {library.id for library in client.libraries.list(page_size=1)}
    updated = client.libraries.update(name, {"metadata": {"m": 2}}, if_match=created.version)
    assert (updated.metadata, updated.description) == ({"n": 1, "m": 2}, "D")
    replaced = client.libraries.replace(created.id, name, if_match=updated.version)
    assert (replaced.metadata, replaced.created_at) == ({}, created.created_at)
    assert client.position >= replaced.version
    client.libraries.delete(name, if_match=replaced.version)
    with pytest.raises(nalanda.NotFoundError):
        client.libraries.get(name)


def test_documents(client: Nalanda, filled: str) -> None:
    created = client.documents.create(filled, title="Made", source="s", metadata={"k": [1]})

    assert client.documents.get(filled, created.id) == created
    assert {document.id for document in client.documents.list(filled, page_size=1)} == {
        "d",
        created.id,
    }
    updated = client.documents.update(filled, created.id, {"title": None}, if_match=created.version)
    assert (updated.title, updated.source) == (None, "s")
    replaced = client.documents.replace(filled, created.id, title="Again", if_match=updated.version)
    assert (replaced.title, replaced.source) == ("Again", None)
    assert client.documents.get_many(filled, ["?", created.id]) == {created.id: replaced}
    done = client.documents.delete_many(filled, {"d": 0, "?": None})
    assert (done.deleted, done.changed) == (0, ["d"])
    client.documents.delete(filled, created.id, if_match=replaced.version)
    with pytest.raises(nalanda.NotFoundError):
        client.documents.get(filled, created.id)


def test_chunks(client: Nalanda, filled: str) -> None:
    (added,) = client.chunks.add(filled, "d", [{"text": "Third.", "embedding": [1, 1]}])

    assert client.chunks.get(filled, added.id, min_position=added.version) == added
    assert client.chunks.get(filled, "b", include=["embedding"]).embedding == [0, 1]
    in_order = client.chunks.list(filled, document_id="d", page_size=1)
    assert [chunk.id for chunk in in_order] == ["a", "b", added.id]
    numbered = {"field": "n", "op": "exists", "value": True}
    listed = client.chunks.list(
        filled, filter=numbered, order_by="-n", include=["embedding"], page_size=1
    )
    assert [(chunk.id, chunk.embedding) for chunk in listed] == [("b", [0, 1]), ("a", [1, 0])]
    long = {"or": [numbered, {"field": "chunk.text", "op": "eq", "value": "t" * 100_000}]}
    in_pages = client.chunks.list(filled, filter=long, order_by="-n", page_size=1)
    assert [chunk.id for chunk in in_pages] == ["b", "a"]
    put = client.chunks.put(filled, "c", document_id="d", text="Own.", embedding=[2, 0])
    updated = client.chunks.update(filled, "c", {"embedding": [0, 2]}, if_match=put.version)
    assert (updated.text, updated.version > put.version) == ("Own.", True)
    client.chunks.delete(filled, "c", if_match=updated.version)
    assert client.chunks.delete_many(filled, ids=[added.id, "nowhere"]) == 1
    assert client.chunks.delete_many(filled, filter=numbered) == 2
    assert list(client.chunks.list(filled)) == []


def test_values_of_python(client: Nalanda, filled: str) -> None:
    seen, metadata = (
        datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=5))),
        {
            "price": Decimal("19.99"),
            "day": date(2026, 1, 2),
            "id": UUID(int=7),
            "tags": {"b", "a"},
            "n": np.int64(9),
            "weight": np.float32(0.1),
            "matrix": np.eye(2),
        },
    )
    vector = np.array([3, 4], np.float64)
    chunk = client.chunks.put(
        filled,
        "v",
        document_id="d",
        text="V",
        embedding=vector,
        metadata={**metadata, "seen": seen},
    )

    assert chunk.metadata == {
        "price": 19.99,
        "day": "2026-01-02",
        "id": str(UUID(int=7)),
        "tags": ["a", "b"],
        "n": 9,
        "weight": float(np.float32(0.1)),
        "matrix": [[1, 0], [0, 1]],
        "seen": "2026-01-01T22:00:00Z",
    }
    for field, value in {**metadata, "seen": seen, "chunk.created_at": chunk.created_at}.items():
        wanted = {"field": field, "op": "eq", "value": value}
        assert [chunk.id for chunk in client.chunks.list(filled, filter=wanted)] == ["v"]
        hits = client.search(filled, embedding=vector.tolist(), filter=wanted).hits
        assert [hit.chunk_id for hit in hits] == ["v"]


def test_what_json_can_not_carry_is_not_sent(client: Nalanda, filled: str) -> None:
    deep: object = 1
    for _ in range(500):
        deep = [deep]
    position = client.position
    for value in (float("nan"), np.float32("inf"), object(), {1: 2}, deep, "\ud800"):
        with pytest.raises(nalanda.InvalidValue, match=r"metadata\.n"):
            client.chunks.update(filled, "a", {"metadata": {"n": value}})
    with pytest.raises(nalanda.InvalidValue, match=r"embedding\[1\]"):
        client.search(filled, embedding=array("f", [1, float("nan")]))
    client.libraries.get(filled)
    assert client.position == position


def test_index(client: Nalanda, filled: str) -> None:
    assert client.index.get(filled).vectors == 2
    configured = client.index.configure(filled, "hnsw", m=8)
    assert (configured.kind, configured.parameters) == ("hnsw", {"m": 8})
    assert client.index.get(filled).kind == "hnsw"


def test_map(client: Nalanda, filled: str) -> None:
    until(lambda: client.index.map(filled).state == "ready")
    drawn = client.index.map(filled, color_by="document.title", include=["points"])
    assert drawn.points is not None
    assert set(drawn.points.chunk_ids) == {"a", "b"}
    assert len(drawn.points.x) == len(drawn.points.y) == len(drawn.points.codes or []) == 2
    assert drawn.health is None


def test_search(client: Nalanda, filled: str) -> None:
    result = client.search(
        filled,
        embedding=array("f", [1, 0]),
        k=1,
        filter={"field": "n", "op": "lt", "value": 3},
        include=["text", "document", "embedding"],
        min_position=client.position,
    )

    (hit,) = result.hits
    assert (hit.chunk_id, hit.score, hit.text, hit.embedding) == ("a", 1, "First.", [1, 0])
    assert hit.document is not None
    assert (hit.document.title, hit.metadata) == ("T", None)
    assert (result.plan.matches, result.plan.exact) == (2, True)
    one, two = client.search_batch(
        filled, [{"embedding": [0, 1], "k": 1}, {"embedding": [0, 1], "group_by": "document_id"}]
    )
    assert [hit.chunk_id for hit in one.hits] == [hit.chunk_id for hit in two.hits] == ["b"]


def test_questions(client: Nalanda, harbours: str, name: str) -> None:
    begin = datetime.now(UTC) - timedelta(seconds=1)
    handle = client.queries.start(harbours, QUESTION, idempotency_key=name, top_n=2)

    again = client.queries.start(harbours, QUESTION, idempotency_key=name, top_n=2)
    assert (again.workflow_id, again.run_id) == (handle.workflow_id, handle.run_id)
    states = list(client.queries.watch(handle.workflow_id, timeout_s=PATIENCE_S))
    state = states[-1]
    assert state == client.queries.wait(handle.workflow_id, timeout_s=PATIENCE_S)
    assert (state.status, state.closed) == ("completed", True)
    assert state.result is not None
    for citation in state.result.citations:
        text = client.chunks.get(harbours, citation.chunk_id).text
        assert text[citation.quote_start : citation.quote_end] == citation.quote
    asked = client.queries.list(library=harbours, since=begin, page_size=1)
    assert {question.status for question in asked} <= {"completed", "running"}


def test_ask(client: Nalanda, harbours: str) -> None:
    assert "nine fathoms" in (client.ask(harbours, QUESTION, timeout_s=PATIENCE_S).answer or "")


def test_system(client: Nalanda) -> None:
    assert client.version().version
    assert client.ready().ready
    assert client.cluster.status().role == "leader"


Call = Callable[[Nalanda, str], object]

ERRORS: dict[str, tuple[Call, type[nalanda.ApiError], int, list[str]]] = {
    "unknown library": (lambda c, _: c.libraries.get("none"), nalanda.NotFoundError, 404, []),
    "unknown document": (
        lambda c, name: c.documents.get(name, "none"),
        nalanda.NotFoundError,
        404,
        [],
    ),
    "unknown chunk": (lambda c, name: c.chunks.get(name, "none"), nalanda.NotFoundError, 404, []),
    "unknown question": (lambda c, _: c.queries.get("none"), nalanda.NotFoundError, 404, []),
    "not to be cancelled": (lambda c, _: c.queries.cancel("none"), nalanda.NotFoundError, 404, []),
    "not to be rated": (lambda c, _: c.queries.feedback("none", 1), nalanda.NotFoundError, 404, []),
    "no other node": (lambda c, _: c.cluster.hand_over(), nalanda.ConflictError, 409, []),
    "unknown node": (
        lambda c, _: c.cluster.hand_over("none"),
        nalanda.ValidationError,
        422,
        ["/to"],
    ),
    "name taken": (lambda c, name: c.libraries.create(name), nalanda.ConflictError, 409, []),
    "stale": (
        lambda c, name: c.chunks.delete(name, "a", if_match=0),
        nalanda.PreconditionFailedError,
        412,
        [],
    ),
    "wrong dimension": (
        lambda c, name: c.chunks.add(name, "d", [{"text": "T", "embedding": [1]}]),
        nalanda.ValidationError,
        422,
        ["/chunks/0/embedding"],
    ),
    "zero vector": (
        lambda c, name: c.search(name, embedding=[0, 0]),
        nalanda.ValidationError,
        422,
        ["/embedding"],
    ),
    "metadata": (
        lambda c, name: c.chunks.update(name, "a", {"metadata": {"n": True}}),
        nalanda.ValidationError,
        422,
        ["/metadata/n"],
    ),
    "operator": (
        lambda c, name: list(c.chunks.list(name, filter={"field": "n", "op": "like", "value": 1})),
        nalanda.ValidationError,
        422,
        ["/filter/op"],
    ),
    "field": (
        lambda c, name: c.libraries.update(name, {"nonsense": 1}),
        nalanda.ValidationError,
        422,
        ["/nonsense"],
    ),
}


@pytest.mark.parametrize(("call", "kind", "status", "pointers"), ERRORS.values(), ids=ERRORS.keys())
def test_errors(
    client: Nalanda,
    filled: str,
    call: Call,
    kind: type[nalanda.ApiError],
    status: int,
    pointers: list[str],
) -> None:
    with pytest.raises(kind) as raised:
        call(client, filled)

    assert raised.value.status == status
    assert [fault.pointer for fault in raised.value.errors] == pointers
    assert raised.value.problem["type"] == "about:blank"


def test_reviews_reruns_and_deletion(client: Nalanda, harbours: str) -> None:
    asked = client.queries.start(harbours, QUESTION, review=True).workflow_id
    until(lambda: client.queries.get(asked).waiting_for == "review", PATIENCE_S)
    dropped = client.queries.get(asked).reviews[-1].hits[0].chunk_id
    left = client.queries.review(asked, "approve", drop=[dropped])
    assert dropped not in {hit.chunk_id for hit in left.hits}
    reviewed = client.queries.wait(asked, timeout_s=PATIENCE_S)
    assert reviewed.result is not None
    assert reviewed.result.hits == left.hits

    again = client.queries.rerun(asked, "rerank").workflow_id
    until(lambda: client.queries.get(again).waiting_for == "review", PATIENCE_S)
    client.queries.review(again, "approve")
    client.queries.wait(again, timeout_s=PATIENCE_S)
    gained = client.queries.diff(asked, again).hits.gained
    assert dropped in {hit.chunk_id for hit in gained}
    client.queries.delete(asked)
    with pytest.raises(nalanda.NotFoundError):
        client.queries.get(asked)
    assert client.queries.add_tokens(again, 0, 0, ["Nine "]) == 1


def test_a_conversation(client: Nalanda, harbours: str) -> None:
    talk = client.conversations.create(harbours)
    assert (talk.library, talk.turns) == ("harbours-id", [])
    first = client.ask(harbours, QUESTION, conversation_id=talk.id)
    assert first.condensed_query is None
    second = client.ask(harbours, "And of Calicut?", conversation_id=talk.id)
    assert second.condensed_query == "How deep is the harbour of Calicut?"
    until(lambda: client.conversations.get(talk.id).turns[-1].status == "completed", PATIENCE_S)
    turns = client.conversations.get(talk.id).turns
    assert [turn.query for turn in turns] == [QUESTION, "And of Calicut?"]
    assert turns[1].condensed_query == second.condensed_query
    assert client.queries.get(turns[1].workflow_id).conversation_id == talk.id
    client.conversations.delete(talk.id)
    with pytest.raises(nalanda.NotFoundError):
        client.conversations.get(talk.id)
