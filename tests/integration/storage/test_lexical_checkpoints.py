"""Lexical indexes in checkpoints: a start opens them, or rebuilds them."""

import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.adapters.sqlite.engine import SqliteEngine
from core.domain.library import Language
from core.indexing.checkpoints.loading import DAMAGED
from core.indexing.lexical import catch_up
from core.indexing.lexical.bm25 import LexicalIndex
from core.indexing.lexical.catch_up import LexicalIndexes
from core.indexing.lexical.checkpointed import SUFFIX, WORKING, LexicalFiles
from core.verification import database
from tests.integration.storage.nodes import DIMENSION, Node, Writes
from tests.samples import a_library

Built = list[int]


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 20)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.SMALL_ROWS", 20)
    monkeypatch.setattr(catch_up, "IN_FILES_FROM", 20)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Built:
    """Return the number of texts that each change of an index took."""
    counts: Built = []
    change = LexicalIndex.change

    def counted(index: LexicalIndex, added: Any, removed: Any) -> Any:
        texts = list(added)
        counts.append(len(texts))
        return change(index, texts, removed)

    monkeypatch.setattr(LexicalIndex, "change", counted)
    return counts


def make_node(data_dir: Path, *, seed: int = 1) -> tuple[Node, Writes]:
    """Return a node with a segment and a lexical index of 60 texts."""
    node = Node(data_dir)
    writes = Writes(node, random.Random(seed))
    writes.fill()
    node.settle()
    search(node)
    return node, writes


def again(node: Node) -> Node:
    """Return the node after a kill and a restart."""
    node.stop()
    return Node(node.directory.parent)


def search(node: Node) -> None:
    node.lexical.catch_up(list(node.catalog.state.views))


def files_of(node: Node) -> list[Path]:
    return sorted(path for path in node.directory.iterdir() if path.suffix == SUFFIX)


def test_a_start_opens_what_a_checkpoint_has(tmp_path: Path, built: Built) -> None:
    node, _ = make_node(tmp_path)
    assert node.lexical.size_bytes("lib") > 0
    node.checkpoints.make()
    size_bytes = sum(path.stat().st_size for path in files_of(node))
    node = again(node)
    assert node.lexical.size_bytes("lib") == size_bytes
    search(node)
    assert built == [60]
    assert node.lexical.size_bytes("lib") == size_bytes
    node.check_lexical()
    node.stop()


def test_it_catches_up_with_writes_since_the_checkpoint(tmp_path: Path, built: Built) -> None:
    node, writes = make_node(tmp_path)
    node.checkpoints.make()
    with node.store.write() as unit:
        unit.chunks.delete("lib", ["c1"])
        unit.chunks.put("lib", [writes.row(id_, "lib") for id_ in ("c2", "c3", "new")])
        unit.commit()
    search(node)  # so that the next process assigns these row ids to other texts
    node = again(node)
    with node.store.write() as unit:
        unit.chunks.put("lib", [writes.row("other", "lib")])
        unit.commit()
    search(node)
    assert built == [60, 3, 4]
    node.check_lexical()
    node.stop()


def test_an_index_that_is_not_searched_stays_in_checkpoints(tmp_path: Path, built: Built) -> None:
    node, writes = make_node(tmp_path)
    node.checkpoints.make()
    there = files_of(node)
    for number in range(3):
        node = again(node)
        with node.store.write() as unit:
            unit.chunks.put("lib", [writes.row(f"new {number}", "lib")])
            unit.commit()
        node.checkpoints.make()
        assert files_of(node) == there
    node.check_lexical()
    assert built[:2] == [60, 3]
    node.stop()


def test_a_search_alone_makes_a_checkpoint_due(tmp_path: Path) -> None:
    node = Node(tmp_path)
    Writes(node, random.Random(1)).fill()
    node.settle()
    node.checkpoints.make()
    assert not files_of(node)
    search(node)
    node.checkpoints.make()
    assert files_of(node)
    node.stop()


def test_checkpoints_share_the_files_that_are_the_same(tmp_path: Path) -> None:
    node, writes = make_node(tmp_path)
    node.checkpoints.make()
    first = set(files_of(node))
    node = again(node)
    with node.store.write() as unit:
        unit.chunks.put("lib", [writes.row("new", "lib")])
        unit.commit()
    search(node)
    node.checkpoints.make()
    assert first < set(files_of(node))
    node.stop()


def test_an_index_that_is_being_changed_stays_as_the_checkpoint_has_it(
    tmp_path: Path, built: Built
) -> None:
    node, writes = make_node(tmp_path)
    node.checkpoints.make()
    there = files_of(node)
    with node.store.write() as unit:
        unit.chunks.put("lib", [writes.row("new", "lib")])
        unit.commit()
    with node.lexical._indexes["lib"].lock:
        node.checkpoints.make()
    assert files_of(node) == there
    node = again(node)
    search(node)
    assert built == [60, 1]
    node.check_lexical()
    node.stop()


@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
def test_a_damaged_index_is_set_aside_and_rebuilt(tmp_path: Path, harm: str, built: Built) -> None:
    node, _ = make_node(tmp_path)
    node.checkpoints.make()
    path = max(files_of(node), key=lambda path: path.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.unlink()
    if harm != "gone":
        path.write_bytes(content if harm == "flip" else content[: len(content) // 2])
    [finding] = database.problems(SqliteEngine(tmp_path))
    assert finding.startswith(f"checkpoints: {path.name}: It ")
    node = again(node)
    [aside] = node.checkpoint.set_aside
    assert aside.name == path.name
    assert (node.directory / DAMAGED / path.name).exists() == (harm != "gone")
    assert not node.checkpoint.missing
    node.check()
    node.checkpoints.make()  # without it, so that it is reported once
    assert not files_of(node)
    node = again(node)
    assert not node.checkpoint.set_aside
    search(node)
    assert built == [60, 60]
    node.check_lexical()
    node.stop()


def test_an_index_whose_files_go_while_it_is_served_is_rebuilt(
    tmp_path: Path, built: Built
) -> None:
    node, _ = make_node(tmp_path)
    node.checkpoints.make()
    node = again(node)
    for path in files_of(node):
        path.unlink()
    search(node)
    assert built == [60, 60]
    node.check_lexical()
    node.stop()


def change_language(node: Node, language: Language) -> None:
    with node.store.write() as unit:
        unit.libraries.put(a_library(dimension=DIMENSION, language=language))
        unit.commit()


def test_another_language_since_rebuilds_it(tmp_path: Path, built: Built) -> None:
    node, _ = make_node(tmp_path)
    node.checkpoints.make()
    change_language(node, Language.NONE)
    node = again(node)
    assert not node.checkpoint.lexical
    search(node)
    assert built == [60, 60]
    node.check_lexical()
    node.stop()


def test_another_language_for_a_while(tmp_path: Path) -> None:
    node, _ = make_node(tmp_path)
    node.checkpoints.make()
    change_language(node, Language.NONE)
    node.checkpoints.make()
    change_language(node, Language.ENGLISH)
    node.checkpoints.make()
    change_language(node, Language.NONE)
    node.checkpoints.make()
    change_language(node, Language.ENGLISH)
    node.checkpoints.make()
    node = again(node)
    assert not node.checkpoint.set_aside
    node.check_lexical()
    node.stop()


def test_another_version_of_this_program_rebuilds_it(
    tmp_path: Path, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, _ = make_node(tmp_path)
    node.checkpoints.make()
    monkeypatch.setattr("core.indexing.lexical.analysis._MAKERS", ("2",))
    node = again(node)
    assert not node.checkpoint.lexical
    search(node)
    assert built == [60, 60]
    node.stop()


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_library_that_is_made_again_under_its_id(
    tmp_path: Path, built: Built, checkpoint: bool
) -> None:
    node, writes = make_node(tmp_path)
    node.checkpoints.make()
    later = a_library().created_at + timedelta(seconds=1)
    with node.store.write() as unit:
        unit.libraries.delete("lib")
        unit.commit()
    writes.fill(rows=30, created_at=later)
    node.settle()
    if checkpoint:
        node.checkpoints.make()
    node = again(node)
    assert not node.checkpoint.lexical
    search(node)
    assert built == [60, 30]
    node.check_lexical()
    node.stop()


def test_a_deleted_library_takes_its_files_along(tmp_path: Path) -> None:
    node, writes = make_node(tmp_path)
    node.checkpoints.make()
    assert list((tmp_path / WORKING).iterdir())
    with node.store.write() as unit:
        unit.libraries.delete("lib")
        unit.commit()
    node.checkpoints.make()
    assert node.lexical.size_bytes("lib") == 0
    assert not list((tmp_path / WORKING).iterdir())
    writes.fill("next", rows=1)
    node.checkpoints.make()
    assert not files_of(node)
    node.stop()


def test_the_older_checkpoint_has_one_of_its_own(tmp_path: Path, built: Built) -> None:
    node, _ = make_node(tmp_path)
    node.checkpoints.make()
    with node.store.write() as unit:
        unit.chunks.delete("lib", ["c1"])
        unit.commit()
    search(node)
    node.checkpoints.make()
    newest = max(node.directory.glob("*.checkpoint"))
    newest.write_bytes(newest.read_bytes()[:-1])
    node = again(node)
    with node.store.write() as unit:  # a file of deletions that may share the other's name
        unit.chunks.delete("lib", ["c2"])
        unit.commit()
    search(node)
    assert built == [60, 0, 0]
    node.checkpoints.make()
    node = again(node)
    node.check_lexical()
    node.stop()


def test_few_texts_stay_in_memory_and_many_move_to_files(tmp_path: Path, built: Built) -> None:
    node = Node(tmp_path)
    writes = Writes(node, random.Random(1))
    writes.fill(rows=19)
    search(node)
    node.checkpoints.make()
    assert not files_of(node)
    with node.store.write() as unit:
        unit.chunks.put("lib", [writes.row("new", "lib")])
        unit.commit()
    search(node)
    assert built == [19, 20]
    node.checkpoints.make()
    assert files_of(node)
    node.check_lexical()
    node.stop()


def fill(disk: Path) -> Path:
    path = disk / "filling"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(2**12))
    return path


def test_a_full_disk_costs_no_search(tmp_path: Path, small_disk: Path, built: Built) -> None:
    node = Node(tmp_path)
    node.lexical = LexicalIndexes(node.catalog, LexicalFiles(small_disk, node.directory))
    writes = Writes(node, random.Random(1))
    writes.fill()
    search(node)
    assert list(small_disk.iterdir())
    filling = fill(small_disk)
    for number in range(2):
        with node.store.write() as unit:
            unit.chunks.put("lib", [writes.row(f"new {number}", "lib")])
            unit.commit()
        search(node)
    assert built == [60, 1, 61, 1]  # a write does not restart it
    assert list(small_disk.iterdir()) == [filling]
    node.check_lexical()
    node.stop()


def test_no_links_no_index_in_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, _ = make_node(tmp_path)

    def refused(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    assert node.checkpoints.make() == 1
    assert not files_of(node)
    node.check_lexical()
    node.stop()


def test_checkpoints_while_others_write_and_search(tmp_path: Path) -> None:
    node, writes = make_node(tmp_path)

    def write() -> None:
        for _ in range(40):
            writes.one()

    def until_written(does: Callable[[], object]) -> None:
        while not written.done():
            does()

    with ThreadPoolExecutor(4) as pool:
        written = pool.submit(write)
        others = [pool.submit(until_written, lambda: search(node)) for _ in range(2)]
        others.append(pool.submit(until_written, node.checkpoints.make))
        for task in (written, *others):
            task.result()
    node = again(node)
    assert not node.checkpoint.set_aside
    node.check_lexical()
    node.stop()
