"""The digest of a state: equal for equal rows, whatever the segments and the way there."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.domain.library import IndexKind, IndexSpec
from core.indexing.checkpoints.loading import CheckpointLoader
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.digests import Digests, digest_of
from core.verification.record import digest_of_record
from tests.integration.storage.nodes import Node, Writes
from tests.samples import a_row


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    Writes(node, random.Random(1)).fill(index=IndexSpec(IndexKind.FLAT))
    yield node
    node.stop()


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 20)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.SMALL_ROWS", 20)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_that_of_the_record_after_any_writes(node: Node, seed: int) -> None:
    chance, digests = random.Random(seed), Digests()
    writes = Writes(node, chance)
    for _ in range(10):
        for _ in range(chance.randrange(12)):
            writes.one()
        if chance.random() < 0.5:
            node.settle()
        with node.store.read() as snapshot:
            recorded = digest_of_record(snapshot)
            loaded = Catalog.load(snapshot).state
        assert digests.of(node.catalog.state) == recorded
        assert digest_of(loaded) == recorded


def test_it_is_the_same_from_a_checkpoint(node: Node) -> None:
    node.settle()
    node.checkpoints.make()
    with node.store.read() as snapshot, ThreadPoolExecutor(1) as pool:
        loaded = CheckpointLoader(node.directory, snapshot, pool).load()
    mapped = CatalogState.of(1, loaded.views)
    assert mapped.views["lib"].segments[0].rows.mapped
    assert digest_of(mapped) == digest_of(node.catalog.state)


def test_it_differs_by_each_part_of_a_row(node: Node) -> None:
    embedded = a_row("c1", "d1", text="text", metadata={"n": 1})
    embedded = replace(embedded, embedding=np.array([1, 2, 3, 4], np.float32))
    others = [
        replace(embedded, chunk=replace(embedded.chunk, text="another")),
        replace(embedded, chunk=replace(embedded.chunk, metadata={"n": 2})),
        replace(embedded, chunk=replace(embedded.chunk, document_id="d2")),
        replace(embedded, chunk=replace(embedded.chunk, version=9)),
        replace(embedded, chunk=replace(embedded.chunk, ordinal=7)),
        replace(embedded, embedding=np.array([1, 2, 3, 5], np.float32)),
    ]
    digests = set()
    for row in [embedded, *others]:
        with node.store.write() as unit:
            unit.chunks.put("lib", [row])
            unit.commit()
        digests.add(digest_of(node.catalog.state))
    assert len(digests) == 1 + len(others)


def test_a_lost_delete_is_seen(node: Node) -> None:
    before = digest_of(node.catalog.state)
    with node.store.write() as unit:
        unit.chunks.delete("lib", ["c1"])
        unit.commit()
    assert digest_of(node.catalog.state) != before


def test_a_call_hashes_no_more_rows_than_its_limit(node: Node) -> None:
    digests = Digests(max_new_rows=25)
    state = node.catalog.state
    assert [digests.of(state), digests.of(state)] == [None, None]
    assert digests.of(state) == digest_of(state)


def test_it_is_unknown_while_a_library_is_rebuilt(node: Node) -> None:
    state = node.catalog.state
    assert digest_of(CatalogState.of(1, [], [state.views["lib"].library])) is None
