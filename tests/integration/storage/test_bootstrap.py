"""The core as the API opens it: the index follows the record, also after a restart."""

import threading
from pathlib import Path

import numpy as np
import pytest

from core.adapters.sqlite import SqliteStore
from core.bootstrap import Core, open_core
from core.domain.document import ChunkDraft, DocumentDraft
from core.domain.errors import ProviderRejected, StorageError
from core.domain.library import IndexKind, IndexSpec, LibraryDraft
from core.services.search.request import SearchRequest
from core.settings import Settings
from tests.samples import stored_chunks
from tests.waiting import BUILT_S


def settings_of(data_dir: Path, **changes: object) -> Settings:
    values = {"data_dir": data_dir, "provider": "local", "database_url": None, **changes}
    return Settings.model_validate(values)


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    postgres = request.param == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else None
    return settings_of(tmp_path, database_url=url)


def drafts(*ids: str) -> list[ChunkDraft]:
    return [
        ChunkDraft(f"text of {id_}", id=id_, embedding=np.array([1, i], dtype=np.float32))
        for i, id_ in enumerate(ids)
    ]


def contents(core: Core) -> tuple[int, list[str]]:
    """Check the index's chunks against the record; return its position and the chunks."""
    recorded = [chunk.id for chunk in stored_chunks(core.store, "lib")]
    view = core.catalog.library("lib")
    library = core.libraries.get("lib")
    assert (core.catalog.position, view.vectors) == (library.position, len(recorded))
    assert view.library == library.value
    return library.position, recorded


def test_the_index_follows_the_record_and_loads_the_same(settings: Settings) -> None:
    with open_core(settings) as core:
        core.libraries.put("lib", LibraryDraft("a library"))
        core.documents.put("lib", "doc", DocumentDraft(chunks=drafts("a", "b", "c")))
        assert contents(core) == (2, ["a", "b", "c"])
        core.documents.put("lib", "doc", DocumentDraft(chunks=drafts("b", "d")))
        core.chunks.add("lib", "doc", drafts("e"))
        core.chunks.delete("lib", "d")
        before = contents(core)
    with open_core(settings) as core:
        assert contents(core) == before == (5, ["b", "e"])
        core.chunks.add("lib", "doc", drafts("f"))
        assert contents(core) == (6, ["b", "e", "f"])


@pytest.mark.parametrize("vectors", ["memory", "mapped"])
def test_segments_are_built_after_a_write_and_after_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vectors: str
) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 50)
    settings = settings_of(tmp_path, vectors=vectors, index_threads=1)
    ids = [f"c{i:02}" for i in range(60)]
    for kind in (IndexKind.FLAT, IndexKind.HNSW):
        with open_core(settings) as core:
            core.libraries.put("lib", LibraryDraft("a library", index=IndexSpec(kind)))
            core.documents.put("lib", "doc", DocumentDraft(chunks=drafts(*ids)))
            core.builder.wait_until_idle(BUILT_S)
            assert_built(core, kind)
        with open_core(settings) as core:
            core.builder.wait_until_idle(BUILT_S)
            assert_built(core, kind)
    assert not any(thread.name == "segments" for thread in threading.enumerate())


def assert_built(core: Core, kind: IndexKind) -> None:
    status = core.search.index("lib").value
    assert (status.kind, status.state, status.error) == (kind, "ready", None)
    [segment] = core.catalog.library("lib").segments
    assert (segment.live, segment.index and segment.index.kind) == (60, kind)
    query = np.array([1, 59], np.float32)
    answer = core.search.search(SearchRequest("lib", embedding=query, k=60, exact=True))
    assert len(answer.hits) == 60
    assert answer.plan.index == kind


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:secret@localhost/db", "must begin with postgresql://"),
        ("postgresql+psycopg://u:secret@localhost/db", "must begin with postgresql://"),
        ("postgresql://u:secret@127.0.0.1:1/db", "127.0.0.1:1/db can't be opened"),
    ],
)
def test_a_database_that_can_t_be_used_is_one_clear_line(
    tmp_path: Path, url: str, said: str
) -> None:
    settings = settings_of(tmp_path, database_url=url)
    with pytest.raises(StorageError, match=said) as refusal:
        open_core(settings)
    assert "secret" not in f"{refusal.value} {settings!r}"


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("relaxed", 1)])
def test_durability_reaches_sqlite(tmp_path: Path, durability: str, synchronous: int) -> None:
    with open_core(settings_of(tmp_path, durability=durability)) as core:
        assert isinstance(core.store, SqliteStore)
        assert core.store._writer.pragma("synchronous") == synchronous


def test_a_failed_start_lets_go_of_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(snapshot: object, directory: Path, holds: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("core.replication.opening.load_index", fail)
        with pytest.raises(MemoryError):
            open_core(settings_of(tmp_path))
    with pytest.raises(ProviderRejected):
        open_core(settings_of(tmp_path, provider="cohere", cohere_api_key=None))
    open_core(settings_of(tmp_path)).close()


def test_a_directory_that_vectors_can_not_lie_in_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "vectors").write_text("a file")
    with pytest.raises(StorageError, match="vectors can't be used: File exists"):
        open_core(settings_of(tmp_path, vectors="mapped"))
    open_core(settings_of(tmp_path)).close()
