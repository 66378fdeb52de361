"""Searches while one thread writes as fast as possible and another builds segments."""

import random
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from core.domain.changes import Change, ChunksDeleted, ChunksPut, DocumentPut, LibraryPut
from core.indexing.maintenance.build_thread import BuildThread
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.view import LibraryView
from tests.unit.core.builders import chunk, document, embedded, library
from tests.unit.core.indexing.segments import SEGMENT_BUILDER
from tests.waiting import BUILT_S

_CHUNKS = 60
_WRITES = 400
_QUERY = np.zeros((1, 2), np.float32)


class Writer:
    """A writer whose chunk i is at (i, 0), so that the nearest chunks to the origin are known.

    `held`: by position, the chunks of that state, each with the position that wrote it.
    """

    def __init__(self) -> None:
        self.catalog = Catalog()
        self.catalog.apply(1, [LibraryPut(library()), DocumentPut(document())])
        self.held: dict[int, dict[int, int]] = {1: {}}
        self._random = random.Random(1)

    def write(self) -> None:
        position = self.catalog.position + 1
        gone = set(self._random.sample(range(_CHUNKS), self._random.choice([0, 0, 3, 30])))
        put = self._random.sample(range(_CHUNKS), self._random.randint(1, 20))
        rest = {i: at for i, at in self.held[position - 1].items() if i not in gone}
        self.held[position] = rest | dict.fromkeys(put, position)
        changes: list[Change] = [
            ChunksDeleted("L", [name(i) for i in gone]),
            ChunksPut("L", [embedded(chunk(name(i), text=str(position)), (i, 0)) for i in put]),
        ]
        self.catalog.apply(position, changes)


def name(number: int) -> str:
    return f"c{number:02}"


def search(state: CatalogState) -> list[tuple[str, int, float]]:
    view = state.library("L")
    [ranking] = view.search(_QUERY, _CHUNKS)
    return [
        (view.chunk(row_id).id, int(view.chunk(row_id).text), -score)
        for row_id, score in zip(ranking.row_ids.tolist(), ranking.scores.tolist(), strict=True)
    ]


def expected(held: dict[int, int]) -> list[tuple[str, int, float]]:
    return [(name(i), at, float(i)) for i, at in sorted(held.items())]


@pytest.fixture
def _many_switches() -> Iterator[None]:
    """Let threads take turns a hundred times as often as by default."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_many_switches")
def test_each_answer_is_of_one_position_whatever_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in ("FLUSH_ROWS", "SMALL_ROWS", "_VACUUM_ROWS"):
        monkeypatch.setattr(f"core.indexing.maintenance.merge_policy.{setting}", 8)
    writer = Writer()
    catalog = writer.catalog
    builder = BuildThread(catalog, SEGMENT_BUILDER, quiet_s=0)
    wrong: list[object] = []
    states: dict[int, CatalogState] = {}
    ends = threading.Event()

    def read() -> None:
        while not ends.is_set():
            state = catalog.state
            answer = search(state)
            if answer != expected(writer.held[state.position]):
                wrong.append((state.position, answer))
            states[state.position] = state

    readers = [threading.Thread(target=read) for _ in range(3)]
    builder.start()
    for reader in readers:
        reader.start()
    try:
        for _ in range(_WRITES):
            writer.write()
    finally:
        ends.set()
    for reader in readers:
        reader.join(30)
    builder.wait_until_idle(BUILT_S)
    builder.close()
    assert not wrong
    assert builder.error("L") is None
    # The last write may be a small delta, or merged into one segment.
    assert 1 <= len(catalog.library("L").segments) <= 2
    for state in [*states.values(), catalog.state]:
        assert search(state) == expected(writer.held[state.position])


def test_a_commit_waits_for_a_revision_to_end() -> None:
    writer = Writer()
    catalog = writer.catalog
    applied = threading.Event()

    def write() -> None:
        writer.write()
        applied.set()

    other = threading.Thread(target=write)

    def revised(view: LibraryView) -> LibraryView:
        other.start()
        assert not applied.wait(0.05)
        return view

    assert catalog.revise("L", revised) is not None
    other.join(30)
    assert catalog.position == 2
    assert search(catalog.state) == expected(writer.held[2])
    assert catalog.revise("gone", revised) is None
