"""The build thread: its jobs, and what may happen during a build."""

import gc
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.changes import ChunksDeleted, ChunksPut, LibraryDeleted, LibraryPut
from core.domain.library import IndexKind, IndexSpec
from core.indexing.columns.chunks import ChunkColumns
from core.indexing.maintenance import malloc
from tests.unit.core.builders import chunk, embedded, library
from tests.unit.core.indexing.maintenance.setting import PATIENCE_S, Setting, nearest, settle
from tests.unit.core.indexing.segments import row_ids


def test_a_large_delta_becomes_a_segment_and_the_position_stays(setting: Setting) -> None:
    setting.put(0, 50)
    assert setting.state() == "building"
    before, position = setting.view, setting.catalog.position
    setting.builder.start()
    settle(setting)
    assert (setting.sizes, setting.state()) == ([(50, True)], "ready")
    assert setting.catalog.position == position
    assert setting.view.revision == before.revision
    [segment] = setting.view.segments
    assert segment.rows.matrix.shape == (50, 2)
    assert not segment.rows.matrix.flags.writeable
    assert nearest(before, 17, k=3) == nearest(setting.view, 17, k=3) == ["c017", "c016", "c018"]


def test_writes_during_a_build_survive_it(setting: Setting) -> None:
    setting.put(0, 50)

    def write(_: object) -> None:
        setting.meanwhile = lambda _: None
        setting.write(
            ChunksDeleted("L", ["c017"]),
            ChunksPut("L", [embedded(chunk("c018"), (-9, 1)), embedded(chunk("new"), (60, 1))]),
        )
        assert setting.sizes == [(48, False), (2, False)]
        assert nearest(setting.view, 17) == ["c016"]

    setting.meanwhile = write
    setting.builder.start()
    settle(setting)
    # Two rows do not justify building fifty again.
    assert setting.sizes == [(48, True), (2, False)]
    assert setting.view.deleted == 2
    assert nearest(setting.view, 18, k=2) == ["c019", "c016"]
    assert nearest(setting.view, 60) == ["new"]
    assert nearest(setting.view, -9) == ["c018"]


def test_segments_are_merged_without_what_died(setting: Setting) -> None:
    setting.builder.start()
    setting.put(0, 50)
    settle(setting)
    setting.write(ChunksDeleted("L", ["c001"]))
    setting.put(50, 100)
    settle(setting)
    assert (setting.sizes, setting.view.deleted) == ([(99, True)], 0)
    [segment] = setting.view.segments
    assert segment.row_ids is not None
    for i in (0, 2, 3, 49, 50, 99):
        row_id = row_ids(setting.view)[f"c{i:03}"]
        assert setting.view.chunk(row_id).id == f"c{i:03}"
        assert setting.view.embedding(row_id).tolist() == [i, 1]
    setting.write(ChunksDeleted("L", [f"c{i:03}" for i in range(60, 90)]))
    settle(setting)
    assert (setting.sizes, setting.view.deleted) == ([(69, True)], 0)
    setting.write(ChunksDeleted("L", [f"c{i:03}" for i in range(100)]))
    assert (setting.view.segments, setting.view.memory_bytes) == ((), 0)


def test_no_reference_to_the_sources_of_a_segment_remains(setting: Setting) -> None:
    setting.put(0, 50)
    [delta] = setting.view.segments
    matrix = weakref.ref(delta.rows.matrix)
    del delta
    setting.builder.start()
    settle(setting)
    gc.collect()
    assert matrix() is None


def test_another_index_is_built_when_it_is_asked_for(setting: Setting) -> None:
    setting.builder.start()
    setting.put(0, 50)
    settle(setting)
    wanted = replace(setting.view.library, index=IndexSpec(IndexKind.HNSW, {"m": 8}))
    setting.write(LibraryPut(wanted))
    settle(setting)
    [segment] = setting.view.segments
    assert segment.built_for == wanted.index
    assert setting.built == [50, 50]
    searched = IndexSpec(IndexKind.HNSW, {"m": 8, "ef": 99})
    setting.write(LibraryPut(replace(wanted, index=searched)))
    settle(setting)
    assert setting.built == [50, 50]


def test_it_merges_once_nothing_was_written_for_a_while(setting: Setting) -> None:
    setting.builder.start()
    setting.put(0, 30)
    setting.now = 4.9
    setting.builder.note_writes([])
    setting.put(30, 35)
    assert not setting.built
    done = threading.Event()
    setting.meanwhile = lambda _: done.set()
    setting.now = 9.9
    setting.builder.note_writes([])
    assert done.wait(PATIENCE_S)
    settle(setting)
    assert setting.sizes == [(35, True)]


def test_a_build_for_a_library_that_goes_is_given_up(setting: Setting) -> None:
    setting.put(0, 50)
    heard = []

    def delete(cancelled: Callable[[], bool]) -> None:
        assert not cancelled()
        setting.write(LibraryDeleted("L"))  # type: ignore[arg-type]
        heard.append(cancelled())

    setting.meanwhile = delete
    setting.builder.start()
    settle(setting)
    assert heard == [True]
    assert not setting.catalog.state.views


def test_a_build_for_an_index_that_is_no_longer_wanted_is_given_up(setting: Setting) -> None:
    setting.put(0, 50)
    wanted = replace(library(), index=IndexSpec(IndexKind.IVF))
    heard = []

    def change(cancelled: Callable[[], bool]) -> None:
        setting.meanwhile = lambda _: None
        setting.write(LibraryPut(wanted))
        heard.append(cancelled())

    setting.meanwhile = change
    setting.builder.start()
    settle(setting)
    assert heard == [True]
    assert [segment.built_for for segment in setting.view.segments] == [wanted.index]


def test_a_segment_of_rows_that_are_gone_is_dropped(setting: Setting) -> None:
    setting.put(0, 50)

    def rewrite(_: object) -> None:
        setting.meanwhile = lambda _: None
        setting.write(ChunksDeleted("L", [f"c{i:03}" for i in range(50)]))
        setting.put(0, 5)

    setting.meanwhile = rewrite
    setting.builder.start()
    settle(setting)
    assert setting.sizes == [(5, False)]


def test_memory_is_given_back_after_a_build_and_not_after_each_write(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, bool]] = []
    monkeypatch.setattr(malloc, "trim", lambda: given.extend(setting.sizes))
    setting.builder.start()
    for i in range(10):
        setting.put(i, i + 1)
        setting.builder.note_writes([])
    settle(setting)
    assert not given
    setting.put(10, 50)
    settle(setting)
    assert given == [(50, True)]


def test_closing_gives_up_what_is_being_built(setting: Setting) -> None:
    setting.put(0, 50)
    started, never = threading.Event(), threading.Event()

    def work(cancelled: Callable[[], bool]) -> None:
        started.set()
        while not cancelled():
            never.wait(0.001)

    setting.meanwhile = work
    setting.builder.start()
    assert started.wait(PATIENCE_S)
    with pytest.raises(TimeoutError):
        setting.builder.wait_until_idle(0)
    setting.builder.close()
    assert setting.sizes == [(50, False)]
    setting.put(50, 60)
    assert nearest(setting.view, 55) == ["c055"]


def test_vectors_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 40)
    monkeypatch.setattr("core.indexing.maintenance.segment_builder._ROWS_AT_ONCE", 7)
    setting = Setting(tmp_path)
    setting.put(0, 50)
    setting.builder.start()
    settle(setting)
    setting.builder.close()
    rows = setting.view.segments[0].rows
    assert isinstance(rows.chunks, ChunkColumns)
    held = rows.norms.nbytes + rows.exponents.nbytes + rows.chunks.memory_bytes
    assert (rows.mapped, rows.memory_bytes) == (True, held)
    assert nearest(setting.view, 17, k=2) == ["c017", "c016"]
    assert setting.view.embedding(49).tolist() == [49, 1]
    assert not list(tmp_path.iterdir())
