"""A follower that holds some of the libraries only, which it takes and leaves while it follows."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.adapters.postgres import PostgresStore
from core.domain.errors import NotHeld
from core.indexing.views.catalog import Catalog
from core.indexing.views.digests import Digests, digest_of
from core.replication.follower import Follower
from core.replication.moves import Moves
from tests.integration.storage.nodes import Node, Writes, check_view

LIBRARIES = ("lib", "other", "third")


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 20)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.SMALL_ROWS", 20)
    monkeypatch.setattr("core.indexing.lexical.catch_up.IN_FILES_FROM", 20)


class Holding(Node):
    """A node that follows, and holds the libraries in `held`."""

    def __init__(self, url: str, data_dir: Path, held: set[str]) -> None:
        store = PostgresStore(url, data_dir, follows=True)
        super().__init__(data_dir, store)
        self.held = held
        self.follower = Follower(store, self.catalog, holds=lambda id_: id_ in self.held)
        self.moves.release(set(self.catalog.state.views) - held)
        self.catch_up()

    @property
    def moves(self) -> Moves:
        return self.follower.moves

    def catch_up(self) -> None:
        while self.follower.tail.follow() == 0.0:
            pass

    def begin_to_take(self, library_id: str) -> None:
        self.held.add(library_id)
        self.moves.build(self.store, self.catalog.state.elsewhere[library_id])

    def leave(self, library_id: str) -> None:
        self.held.discard(library_id)
        self.moves.release([library_id])

    def check_held(self) -> None:
        """Compare the libraries that the node holds with the record, and the others' names."""
        with self.store.read() as snapshot:
            recorded = Catalog.load(snapshot).state
        state = self.catalog.state
        assert state.position == recorded.position
        assert state.library_ids == recorded.library_ids
        assert set(state.views) == self.held & recorded.library_ids
        for id_, view in state.views.items():
            check_view(view, recorded.views[id_])
        for id_, absent in state.elsewhere.items():
            assert absent.library == recorded.views[id_].library

    def stop(self) -> None:
        self.follower.close()
        super().stop()


@pytest.fixture
def node(postgres_url: str, tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "leader", PostgresStore(postgres_url, tmp_path / "leader"))
    # No seed of a test: with it, rows would be equal, and numpy and the kernels, which score the
    # delta of one node and the segments of the other, may order equal rows differently.
    writes = Writes(node, random.Random(1_000))
    for id_ in LIBRARIES:
        writes.fill(id_)
    yield node
    node.stop()


@pytest.fixture
def holding(node: Node, postgres_url: str, tmp_path: Path) -> Iterator[Holding]:
    holding = Holding(postgres_url, tmp_path / "follower", {"lib"})
    yield holding
    holding.stop()


@pytest.mark.parametrize("seed", range(6))
def test_any_moves_among_any_writes_leave_what_the_record_has(
    node: Node, holding: Holding, seed: int
) -> None:
    chance = random.Random(seed)
    writes = Writes(node, chance)
    for _ in range(12):
        library_id = chance.choice(LIBRARIES)
        if library_id in holding.catalog.state.elsewhere:
            holding.begin_to_take(library_id)
        elif chance.random() < 0.5:
            holding.leave(library_id)
        for _ in range(chance.randrange(12)):
            writes.one()
        holding.catch_up()
        holding.check_held()
        if chance.random() < 0.5:
            holding.check_lexical()
        if chance.random() < 0.3:
            holding.settle()
        if chance.random() < 0.3:
            holding.checkpoints.make()


def test_a_library_elsewhere_is_named_as_such(holding: Holding) -> None:
    state = holding.catalog.state
    name = state.elsewhere["other"].library.name
    for ref in ("other", name):
        with pytest.raises(NotHeld) as error:
            state.library(ref)
        assert error.value.library_id == "other"
    assert holding.catalog.library("lib").vectors == 60


def test_a_new_library_is_held_only_where_it_is_placed(node: Node, holding: Holding) -> None:
    writes = Writes(node, random.Random(1))
    writes.fill("elsewhere")
    holding.held.add("here")
    writes.fill("here")
    holding.catch_up()
    assert set(holding.catalog.state.views) == {"lib", "here"}
    holding.check_held()


def test_a_library_deleted_while_it_is_built_is_not_added(node: Node, holding: Holding) -> None:
    holding.begin_to_take("other")
    with node.store.write() as unit:
        unit.libraries.delete("other")
        unit.commit()
    holding.catch_up()
    holding.check_held()
    assert "other" not in holding.catalog.state.library_ids


def test_a_library_that_the_log_was_trimmed_for_is_built_again(
    node: Node, holding: Holding
) -> None:
    writes = Writes(node, random.Random(2))
    holding.begin_to_take("other")
    for _ in range(3):
        writes.one()
        holding.follower.tail.replace_with(holding.catalog.state)
        node.checkpoints.make()
    with node.store.read() as snapshot:
        assert (snapshot.log.oldest or 0) > 4
    holding.catch_up()
    if "other" in holding.catalog.state.elsewhere:
        holding.begin_to_take("other")
        holding.catch_up()
    holding.check_held()


def test_the_log_trimmed_for_the_whole_follower_keeps_what_it_holds(
    node: Node, holding: Holding
) -> None:
    writes = Writes(node, random.Random(4))
    for _ in range(3):
        writes.one()
        node.checkpoints.make()
    holding.catch_up()
    holding.check_held()


def test_a_digest_of_a_library_is_the_same_on_each_node_that_holds_it(
    node: Node, holding: Holding
) -> None:
    digests, theirs = Digests(), Digests()
    assert digest_of(holding.catalog.state) is None
    assert digest_of(node.catalog.state) is not None
    of_library = digests.of(holding.catalog.state, "lib")
    assert of_library == theirs.of(node.catalog.state, "lib") is not None
    assert of_library != theirs.of(node.catalog.state, "other")
    with pytest.raises(NotHeld):
        digests.of(holding.catalog.state, "other")


def test_lexical_searches_of_a_library_that_comes_back_find_what_it_has_now(
    node: Node, holding: Holding
) -> None:
    holding.check_lexical()
    holding.leave("lib")
    Writes(node, random.Random(5)).fill("lib")
    holding.catch_up()
    holding.begin_to_take("lib")
    holding.catch_up()
    holding.check_lexical()


def test_row_ids_of_a_library_that_comes_back_are_new(holding: Holding) -> None:
    before = holding.catalog.state.views["lib"].next_row_id
    holding.leave("lib")
    holding.catch_up()
    holding.begin_to_take("lib")
    holding.catch_up()
    assert holding.catalog.state.views["lib"].segments[0].first >= before
    holding.check_held()
