"""The client against the real API in one process, without questions, which need Temporal."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from api.main import create_app
from core.settings import Settings
from nalanda import (
    AsyncNalanda,
    ChunkOptions,
    ConflictError,
    Include,
    Library,
    NotFoundError,
    PreconditionFailedError,
    UnavailableError,
    ValidationError,
)
from nalanda._models.entities import Metric

ONE, TWO, THREE = np.eye(3, dtype=np.float32)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncNalanda]:
    app = create_app(Settings(data_dir=tmp_path, min_position_wait_s=0.01))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with AsyncNalanda("http://localhost", transport=transport, max_retries=0) as client:
            yield client


@pytest.fixture
async def library(client: AsyncNalanda) -> Library:
    schema = {"fields": {"year": {"type": "integer"}}}
    return await client.libraries.create("books", dimension=3, metadata_schema=schema)


async def test_search_by_words(client: AsyncNalanda) -> None:
    await client.libraries.create("films", embedding_model="wordllama-256", language="french")
    chunks: list[ChunkOptions] = [{"id": "a", "text": "Les chevaux"}, {"id": "b", "text": "La mer"}]
    await client.documents.create("films", chunks=chunks)
    assert (await client.libraries.get("films")).language == "french"
    result = await client.search("films", text="cheval", mode="lexical")
    assert [hit.chunk_id for hit in result.hits] == ["a"]
    weights = {"vector": 0.2, "lexical": 0.8}
    result = await client.search("films", text="mer", mode="hybrid", weights=weights)
    assert [hit.chunk_id for hit in result.hits] == ["b", "a"]
    assert result.plan.index == "hybrid"


async def test_libraries(client: AsyncNalanda, library: Library) -> None:
    assert library.metadata_schema is not None
    assert await client.libraries.get("books") == await client.libraries.get(library.id) == library
    changed = await client.libraries.update("books", {"description": "x"}, if_match=library.version)
    assert changed.description == "x"
    with pytest.raises(PreconditionFailedError):
        await client.libraries.update("books", {"description": "y"}, if_match=library.version)
    replaced = await client.libraries.replace("own-id", "films", metric="l2")
    assert (replaced.id, replaced.metric) == ("own-id", "l2")
    assert [x.name async for x in client.libraries.list(page_size=1)] == ["books", "films"]
    assert [x.name async for x in client.libraries.list("films")] == ["films"]
    await client.libraries.delete("films")
    with pytest.raises(NotFoundError):
        await client.libraries.get("films")
    with pytest.raises(ConflictError):
        await client.libraries.create("books")


async def test_documents(client: AsyncNalanda, library: Library) -> None:
    chunks: list[ChunkOptions] = [{"text": "a", "embedding": ONE}]
    made = await client.documents.create("books", title="T", metadata={"a": 1}, chunks=chunks)
    assert await client.documents.get("books", made.id) == made
    changed = await client.documents.update("books", made.id, {"title": None})
    assert (changed.title, changed.metadata) == (None, {"a": 1})
    await client.documents.replace("books", "own-id", source="s")
    assert {d.id async for d in client.documents.list("books", page_size=1)} == {made.id, "own-id"}
    await client.documents.delete("books", made.id)
    assert [chunk.id async for chunk in client.chunks.list("books")] == []


async def test_chunks(client: AsyncNalanda, library: Library) -> None:
    document = await client.documents.create("books", title="T")
    added = await client.chunks.add(
        "books",
        document.id,
        [
            {"id": "c1", "text": "a", "embedding": ONE, "metadata": {"year": 1900}},
            {"text": "b", "embedding": [0, 2, 0], "metadata": {"year": 2000}},
        ],
    )
    assert [(chunk.ordinal, chunk.embedding) for chunk in added] == [(0, None), (1, None)]
    again = await client.chunks.get("books", "c1", include=["embedding"])
    assert again.embedding == [1, 0, 0]
    put = await client.chunks.put("books", "c1", document_id=document.id, text="c", embedding=TWO)
    assert (put.text, put.metadata) == ("c", {})
    patched = await client.chunks.update("books", "c1", {"metadata": {"year": 1}, "text": "c"})
    assert patched.metadata == {"year": 1}
    newer = {"field": "year", "op": "gte", "value": 2000}
    assert [c.text async for c in client.chunks.list("books", filter=newer)] == ["b"]
    ordered = client.chunks.list("books", order_by="-year", page_size=1, include=["embedding"])
    assert [(c.text, c.embedding) async for c in ordered] == [("b", [0, 2, 0]), ("c", [0, 1, 0])]
    inside = client.chunks.list("books", document_id=document.id, page_size=1)
    assert [c.text async for c in inside] == ["c", "b"]
    assert await client.chunks.delete_many("books", filter=newer) == 1
    await client.chunks.delete("books", "c1")
    assert await client.chunks.delete_many("books", ids=["c1"]) == 0


async def test_searches(client: AsyncNalanda, library: Library) -> None:
    chunks: list[ChunkOptions] = [
        {"id": "c1", "text": "a", "embedding": ONE, "metadata": {"year": 1900}},
        {"id": "c2", "text": "b", "embedding": TWO, "metadata": {"year": 2000}},
    ]
    await client.documents.create("books", title="T", chunks=chunks)
    position = client.position
    result = await client.search("books", embedding=ONE + TWO / 2, k=5, min_position=position)
    assert [(hit.chunk_id, hit.text) for hit in result.hits] == [("c1", "a"), ("c2", "b")]
    assert (result.plan.exact, result.position) == (True, position)
    newer = {"field": "year", "op": "gte", "value": 2000}
    include: list[Include] = ["document", "embedding"]
    result, other = await client.search_batch(
        "books",
        [
            {"embedding": [1, 1, 1], "filter": newer, "include": include},
            {"embedding": THREE, "k": 1, "exact": True, "group_by": "document_id"},
        ],
    )
    (hit,) = result.hits
    assert hit.document is not None
    assert (hit.document.title, hit.embedding, hit.text) == ("T", [0, 1, 0], None)
    assert (result.plan.matches, len(other.hits)) == (1, 1)
    with pytest.raises(UnavailableError) as raised:
        await client.search("books", embedding=ONE, min_position=position + 1)
    assert raised.value.retry_after_s is not None


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
async def test_scores_are_float64(client: AsyncNalanda, metric: Metric) -> None:
    rows = np.random.default_rng(3).normal(size=(50, 7)).astype(np.float32)
    await client.libraries.create("scored", dimension=7, metric=metric)
    chunks: list[ChunkOptions] = [
        {"id": str(number), "text": "t", "embedding": row} for number, row in enumerate(rows)
    ]
    await client.documents.create("scored", chunks=chunks)
    query, wide = rows[0] + rows[1], rows.astype(np.float64)
    wanted = {
        "cosine": wide @ query / np.linalg.norm(wide, axis=1) / np.linalg.norm(query.astype(float)),
        "dot": wide @ query,
        "l2": -np.linalg.norm(wide - query, axis=1),
    }[metric]

    hits = (await client.search("scored", embedding=query, k=50)).hits

    for hit in hits:
        assert hit.score == pytest.approx(wanted[int(hit.chunk_id)], rel=1e-13)
    assert any(hit.score != float(np.float32(hit.score)) for hit in hits)


async def test_the_index(client: AsyncNalanda, library: Library) -> None:
    assert (await client.index.get("books")).kind == "auto"
    assert (await client.index.configure("books", "hnsw", ef=64)).parameters["ef"] == 64


async def test_faults_point_into_the_input(client: AsyncNalanda, library: Library) -> None:
    document = await client.documents.create("books")
    chunks: list[ChunkOptions] = [
        {"text": "a", "embedding": ONE},
        {"text": "b", "embedding": [1.0]},
    ]
    with pytest.raises(ValidationError) as raised:
        await client.chunks.add("books", document.id, chunks)
    assert [fault.pointer for fault in raised.value.errors] == ["/chunks/1/embedding"]
    with pytest.raises(ValidationError) as raised:
        await client.chunks.put(
            "books", "c", document_id=document.id, text="a", embedding=ONE, metadata={"year": "x"}
        )
    assert [fault.pointer for fault in raised.value.errors] == ["/metadata/year"]


async def test_the_server_itself(client: AsyncNalanda) -> None:
    assert (await client.version()).version == "0.1.0"
    readiness = await client.ready()
    assert readiness.ready
    assert readiness.checks["storage"] == "ok"
