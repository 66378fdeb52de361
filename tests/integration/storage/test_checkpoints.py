"""A start from a checkpoint serves what a start from the record does."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.adapters.sqlite import SqliteStore
from core.domain.errors import StorageFull, StorageUnavailable, Unavailable
from core.domain.filters import Filter, parse
from core.domain.library import IndexKind, IndexSpec, Metric
from core.indexing.builder import Builder
from core.indexing.catalog import Catalog, CatalogState
from core.indexing.checkpoints.found import DIRECTORY, Found, paths_in
from core.indexing.checkpoints.loading import DAMAGED, Loading
from core.indexing.ranking import Ranking
from core.indexing.sealing import Sealing
from core.indexing.view import LibraryView
from core.ports.store import Store
from core.services.checkpoints import Checkpoints
from core.services.rebuilding import Rebuilding
from tests.samples import a_document, a_library, a_row

DIMENSION = 4
QUERIES = np.random.default_rng(7).standard_normal((3, DIMENSION)).astype(np.float32)
NEVER_S = 1e6


class Node:
    """A process's core, but for the services: a store, a catalog that follows it, checkpoints."""

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        self.directory = data_dir / DIRECTORY
        self.directory.mkdir(parents=True, exist_ok=True)
        self.store: Store = SqliteStore(data_dir)
        with self.store.read() as snapshot, ThreadPoolExecutor(2) as pool:
            self.found: Found = Loading(self.directory, snapshot, pool).load()
            state = CatalogState.of(snapshot.position, self.found.views, self.found.missing)
        self.catalog = Catalog(state)
        self.store.subscribe(self.catalog.apply)
        self.builder = Builder(self.catalog, Sealing(1))
        self.builder.start()
        settings = {"every_s": NEVER_S, "every_bytes": 2**60} | settings
        self.checkpoints = Checkpoints(
            self.directory, self.catalog, self.store, self.found, **settings
        )
        self.rebuilding = Rebuilding(self.catalog, self.store)

    def settle(self) -> None:
        self.builder.wait_until_settled(60)

    def stop(self) -> None:
        """Without a last checkpoint, as after a kill."""
        self.rebuilding.close()
        self.builder.close()
        self.store.close()

    def check(self) -> None:
        """Against all of the record."""
        with self.store.read() as snapshot:
            recorded = Catalog.load(snapshot)
        assert self.catalog.position == recorded.position
        assert set(self.catalog.state.views) == set(recorded.state.views)
        for id_, theirs in recorded.state.views.items():
            check_view(self.catalog.state.views[id_], theirs)


def check_view(mine: LibraryView, theirs: LibraryView) -> None:
    assert (mine.library, dict(mine.documents)) == (theirs.library, dict(theirs.documents))
    assert contents(mine) == contents(theirs)
    for wanted in FILTERS:
        parsed = None if wanted is None else parsed_of(wanted)
        matches = mine.matching(parsed), theirs.matching(parsed)
        pairs = list(zip((mine, theirs), matches, strict=True))
        names = [{chunk.id for chunk in view.chunks(those)} for view, those in pairs]
        assert names[0] == names[1]
        found = [view.search(QUERIES, 5, matches=those) for view, those in pairs]
        for ours, others in zip(*found, strict=True):
            assert ids_of(mine, ours) == ids_of(theirs, others)


def ids_of(view: LibraryView, ranking: Ranking) -> list[str]:
    return [chunk.id for chunk in view.chunks_of(ranking.serials)]


def parsed_of(wanted: object) -> Filter:
    return parse(wanted, None, "")


FILTERS: list[object] = [
    None,
    {"field": "n", "op": "lt", "value": 3},
    {"field": "document.title", "op": "eq", "value": "title 1"},
    {"field": "n", "op": "exists", "value": False},
]


def contents(view: LibraryView) -> dict[str, Any]:
    serials = view.serials(view.matching(None)).tolist()
    return {
        view.chunk(serial).id: (view.chunk(serial), view.embedding(serial).tolist())
        for serial in serials
    }


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.indexing.maintenance.SEAL_ROWS", 20)
    monkeypatch.setattr("core.indexing.maintenance.SMALL_ROWS", 20)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path


class Writes:
    """Random ones, to a few libraries, documents and chunks, again and again."""

    def __init__(self, node: Node, chance: random.Random) -> None:
        self.node, self.chance = node, chance

    def fill(self, id_: str = "lib", rows: int = 60, **changes: Any) -> None:
        with self.node.store.write() as unit:
            unit.libraries.put(a_library(id_, dimension=DIMENSION, **changes))
            for number in range(3):
                unit.documents.put(a_document(f"d{number}", id_, title=f"title {number}"))
            unit.chunks.put(id_, [self.row(f"c{i}", id_) for i in range(rows)])
            unit.commit()

    def row(self, chunk_id: str, library_id: str) -> Any:
        chance = self.chance
        vector = np.array([chance.gauss(0, 1) for _ in range(DIMENSION)], np.float32)
        metadata = {"n": chance.randrange(6)} if chance.random() < 0.8 else {}
        document_id, text = f"d{chance.randrange(3)}", f"{chance.random()}"
        row = a_row(chunk_id, document_id, library_id, metadata=metadata, text=text)
        return replace(row, embedding=vector)

    def one(self) -> None:
        chance = self.chance
        libraries = list(self.node.catalog.state.views)
        library_id = chance.choice(libraries)
        library = self.node.catalog.state.views[library_id].library
        with self.node.store.write() as unit:
            match chance.randrange(6):
                case 0 | 1:
                    ids = {f"c{chance.randrange(90)}" for _ in range(chance.randrange(1, 20))}
                    unit.chunks.put(library_id, [self.row(id_, library_id) for id_ in sorted(ids)])
                case 2:
                    ids = {f"c{chance.randrange(90)}" for _ in range(8)}
                    unit.chunks.delete(library_id, sorted(ids))
                case 3:
                    title = f"title {chance.randrange(3)}"
                    named = a_document(f"d{chance.randrange(3)}", library_id, title=title)
                    unit.documents.put(named)
                case 4:
                    gone = f"d{chance.randrange(3)}"
                    unit.documents.delete(library_id, gone)
                    unit.documents.put(a_document(gone, library_id, title="anew"))
                case 5 if chance.random() < 0.3:
                    unit.libraries.delete(library_id)
                    later = library.created_at + timedelta(seconds=1)
                    metric = chance.choice(list(Metric))
                    unit.libraries.put(
                        a_library(library_id, dimension=DIMENSION, metric=metric, created_at=later)
                    )
                    for number in range(3):
                        unit.documents.put(a_document(f"d{number}", library_id))
            unit.commit()


@pytest.mark.parametrize("seed", range(8))
def test_any_writes_then_a_checkpoint_then_others(data_dir: Path, seed: int) -> None:
    chance = random.Random(seed)
    node = Node(data_dir)
    writes = Writes(node, chance)
    for id_ in ("lib", "other"):
        writes.fill(id_, index=IndexSpec(chance.choice([IndexKind.FLAT, IndexKind.HNSW])))
    for _ in range(4):
        for _ in range(chance.randrange(12)):
            writes.one()
        if chance.random() < 0.7:
            node.settle()
            node.catalog.state.views["lib"].matching(parsed_of(FILTERS[2]))  # makes a column
        node.checkpoints.make()
        for _ in range(chance.randrange(12)):
            writes.one()
        node.stop()
        node = Node(data_dir)
        writes.node = node
        assert not node.found.set_aside
        node.check()
    node.stop()


def test_segments_are_written_once_and_kept_as_long_as_a_checkpoint_has_them(
    data_dir: Path,
) -> None:
    node = Node(data_dir)
    writes = Writes(node, random.Random(1))
    writes.fill()
    node.settle()
    assert node.checkpoints.make() == 1
    first = {path.name: path.stat().st_ino for path in node.directory.iterdir()}
    assert node.checkpoints.make() == 1
    with node.store.write() as unit:
        unit.chunks.put("lib", [writes.row("new", "lib")])
        unit.commit()
    node.checkpoints.make()
    now = {path.name: path.stat().st_ino for path in node.directory.iterdir()}
    assert {name: now[name] for name in first} == first
    assert len(now) == len(first) + 1
    with node.store.write() as unit:
        unit.libraries.delete("lib")
        unit.commit()
    node.checkpoints.make()
    writes.fill("next", rows=1)
    node.checkpoints.make()
    assert {path.suffix for path in node.directory.iterdir()} == {".checkpoint"}
    assert len(paths_in(node.directory)) == 2
    with node.store.read() as snapshot:
        assert snapshot.log.oldest == int(paths_in(node.directory)[-1].stem)
    node.stop()


def test_a_start_that_is_ahead_of_its_checkpoint_makes_one_when_asked(data_dir: Path) -> None:
    node = Node(data_dir)
    writes = Writes(node, random.Random(3))
    writes.fill("lib", rows=1)
    assert node.checkpoints.make() == 1
    writes.fill("other", rows=1)
    node.stop()
    for _ in range(2):  # and once more from that one, which is current
        node = Node(data_dir)
        assert node.checkpoints.make() == 2
        node.stop()


@pytest.mark.parametrize("suffix", ["checkpoint", "rows", "index", "attributes"])
@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
def test_what_is_damaged_is_set_aside_and_the_others_serve(
    data_dir: Path, suffix: str, harm: str
) -> None:
    node = Node(data_dir)
    writes = Writes(node, random.Random(2))
    writes.fill("lib")
    node.settle()
    node.checkpoints.make()
    files = set(node.directory.iterdir())
    writes.fill("other")
    node.settle()
    node.checkpoints.make()
    node.stop()
    [path] = [p for p in set(node.directory.iterdir()) - files if p.suffix == f".{suffix}"]
    if harm == "gone":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 4
        path.write_bytes(content if harm == "flip" else content[: len(content) // 2])
    node = Node(data_dir)
    if suffix == "checkpoint":
        assert not node.found.missing  # the one before it, and the log since, tell the same
    else:
        [aside] = node.found.set_aside
        assert aside.name == path.name
        assert (node.directory / DAMAGED / path.name).exists() == (harm != "gone")
        assert node.catalog.library("lib").vectors == 60
        with pytest.raises(Unavailable, match="made from the record"):
            node.catalog.library("other")
        with pytest.raises(Unavailable):
            node.catalog.library("name of other")
        with node.store.write() as unit:  # what comes meanwhile is not lost
            unit.chunks.put("other", [writes.row("late", "other")])
            unit.chunks.delete("other", ["c1"])
            unit.commit()
        node.rebuilding.start()
        node.rebuilding._thread.join(30)
    node.check()
    node.checkpoints.make()
    node.stop()
    node = Node(data_dir)
    assert not node.found.set_aside
    node.check()
    node.stop()


def test_a_library_that_is_deleted_while_it_is_rebuilt(data_dir: Path) -> None:
    node = Node(data_dir)
    writes = Writes(node, random.Random(3))
    writes.fill()
    node.settle()
    node.checkpoints.make()
    node.stop()
    next(iter(node.directory.glob("*.rows"))).unlink()
    node = Node(data_dir)
    with node.store.read() as snapshot:
        stale = LibraryView.empty(snapshot.libraries.get("lib"))
    with node.store.write() as unit:
        unit.libraries.put(a_library(dimension=DIMENSION, name="renamed"))
        unit.libraries.delete("lib")
        unit.commit()
    node.catalog.complete(1, stale)
    node.rebuilding.start()
    node.check()
    node.stop()


def test_a_checkpoint_of_another_record_is_set_aside(tmp_path: Path) -> None:
    places = tmp_path / "one", tmp_path / "two"
    for place in places:
        node = Node(place)
        Writes(node, random.Random(str(place))).fill()
        node.settle()
        node.checkpoints.make()
        node.stop()
    for path in (places[1] / DIRECTORY).iterdir():
        path.unlink()
    for path in (places[0] / DIRECTORY).iterdir():
        path.replace(places[1] / DIRECTORY / path.name)
    node = Node(places[1])
    [aside] = node.found.set_aside
    assert "log does not have its position" in aside.problem
    node.rebuilding.start()
    node.rebuilding._thread.join(30)
    node.check()
    node.stop()


def test_it_is_made_after_so_many_bytes_and_at_the_end(data_dir: Path) -> None:
    node = Node(data_dir, every_bytes=1_000)
    node.checkpoints.start()
    writes = Writes(node, random.Random(4))
    writes.fill()
    node.checkpoints._wake.acquire()
    try:
        assert node.checkpoints._wake.wait_for(lambda: node.checkpoints.position == 1, 30)
    finally:
        node.checkpoints._wake.release()
    writes.one()
    node.checkpoints.close()
    assert node.checkpoints.position == 2
    node.stop()


def test_a_full_disk_costs_a_checkpoint_and_nothing_else(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(data_dir)
    writes = Writes(node, random.Random(5))
    writes.fill()
    node.settle()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    def forbidden(*_: object) -> int:
        raise OSError(13, "Permission denied")

    for fail, error in ((full, StorageFull), (forbidden, StorageUnavailable)):
        with monkeypatch.context() as patch:
            patch.setattr("core.indexing.checkpoints.writing.write_manifest", fail)
            with pytest.raises(error):
                node.checkpoints.make()
            node.checkpoints._try()
            assert node.checkpoints.error is not None
    node.check()
    node.checkpoints._try()
    assert (node.checkpoints.error, node.checkpoints.position) == (None, 1)
    node.stop()


def test_nothing_was_ever_written(data_dir: Path) -> None:
    node = Node(data_dir)
    assert node.checkpoints.make() is None
    node.check()
    node.stop()
