"""A start from a checkpoint serves the same as a start from the record."""

import random
from pathlib import Path

import pytest

from core.domain.changes import FeedbackAdded
from core.domain.errors import StorageFull, StorageUnavailable, Unavailable
from core.domain.library import IndexKind, IndexSpec
from core.indexing.checkpoints.loading import DAMAGED
from core.indexing.checkpoints.paths import DIRECTORY, paths_in
from core.indexing.views.view import LibraryView
from tests.integration.storage.nodes import DIMENSION, FILTERS, Node, Writes, parsed_of
from tests.samples import a_library
from tests.waiting import until


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 20)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.SMALL_ROWS", 20)
    monkeypatch.setattr("core.indexing.lexical.catch_up.IN_FILES_FROM", 20)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path


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
        if chance.random() < 0.7:
            node.check_lexical()
        node.checkpoints.make()
        for _ in range(chance.randrange(12)):
            writes.one()
            if chance.random() < 0.2:
                node.check_lexical()
        if chance.random() < 0.3:
            node.checkpoints.make()
        node.stop()
        node = Node(data_dir)
        writes.node = node
        assert not node.checkpoint.set_aside
        node.check()
        if chance.random() < 0.7:
            node.check_lexical()
    node.stop()


def test_the_log_is_kept_for_the_slowest_follower(data_dir: Path) -> None:
    slowest = 3
    node = Node(data_dir, followed_from=lambda: slowest)
    writes = Writes(node, random.Random(1))
    writes.fill()
    for _ in range(3):
        writes.one()
        writes.one()
        node.checkpoints.make()
    with node.store.read() as snapshot:
        assert snapshot.log.oldest == slowest
    slowest = 2**60
    writes.one()
    node.checkpoints.make()
    with node.store.read() as snapshot:
        assert (snapshot.log.oldest or 0) > 3
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
    for _ in range(2):  # and again from that one, which is current
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
        assert not node.checkpoint.missing  # the previous one and the later log give the same
    else:
        [aside] = node.checkpoint.set_aside
        assert aside.name == path.name
        assert (node.directory / DAMAGED / path.name).exists() == (harm != "gone")
        assert node.catalog.library("lib").vectors == 60
        with pytest.raises(Unavailable, match="rebuilt from the record"):
            node.catalog.library("other")
        with pytest.raises(Unavailable):
            node.catalog.library("name of other")
        with node.store.write() as unit:  # concurrent writes are not lost
            unit.chunks.put("other", [writes.row("late", "other")])
            unit.chunks.delete("other", ["c1"])
            unit.commit()
        node.rebuilder.start()
        until(lambda: not node.catalog.state.missing)
    node.check()
    node.checkpoints.make()
    node.stop()
    node = Node(data_dir)
    assert not node.checkpoint.set_aside
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
    node.rebuilder.start()
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
    [aside] = node.checkpoint.set_aside
    assert "log does not have its position" in aside.problem
    node.rebuilder.start()
    until(lambda: not node.catalog.state.missing)
    node.check()
    node.stop()


def test_it_is_made_after_so_many_bytes_and_at_the_end(data_dir: Path) -> None:
    node = Node(data_dir, every_bytes=1_000)
    node.checkpoints.start()
    writes = Writes(node, random.Random(4))
    writes.fill()
    until(lambda: node.checkpoints.position == 1)
    writes.one()
    node.checkpoints.close()
    assert node.checkpoints.position == 2
    node.stop()


def test_bytes_that_change_no_view_do_not_keep_the_thread_busy(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(data_dir, every_bytes=100)
    Writes(node, random.Random(4)).fill()
    assert node.checkpoints.make() == 1
    node.checkpoints.start()
    tries: list[int | None] = []
    make = node.checkpoints.make
    monkeypatch.setattr(node.checkpoints, "make", lambda: tries.append(make()))
    node.checkpoints.on_commit(2, [FeedbackAdded("workflow")], b"")
    until(lambda: len(tries) == 1)
    assert node.checkpoints._make_if_due() > 0
    assert tries == [1]
    node.checkpoints.close()
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
