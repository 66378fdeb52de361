"""A follower fetches the checkpoint of another node, whole or not at all."""

import errno
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from core.adapters.checkpoint_sources import CheckpointFolder
from core.adapters.postgres import PostgresStore
from core.indexing.checkpoints.manifest import read_manifest
from core.indexing.checkpoints.paths import paths_in
from core.replication.fetching import DIRECTORY, needs_checkpoint, try_to_fetch
from core.replication.opening import open_catalog
from tests.integration.storage.nodes import Node, Writes, check_view


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 20)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.SMALL_ROWS", 20)
    monkeypatch.setattr("core.indexing.lexical.catch_up.IN_FILES_FROM", 20)


class Source(CheckpointFolder):
    """A folder of checkpoints that can lose, cut or damage files while they are read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder
        self.opened: list[str] = []
        self.fails_at = 0
        self.failure: Exception | None = None
        self.flips = ""

    @contextmanager
    def open(self, name: str) -> Iterator[Iterator[bytes]]:
        self.opened.append(name)
        if self.failure is not None and len(self.opened) >= self.fails_at:
            raise self.failure
        with super().open(name) as pieces:
            content = b"".join(pieces)
        if self.flips and name.endswith(self.flips):
            content = content[:100] + bytes([content[100] ^ 1]) + content[101:]
        yield iter([content])


@pytest.fixture
def node(postgres_url: str, tmp_path: Path) -> Iterator[Node]:
    """A node with a checkpoint of segments, deleted rows and a lexical index."""
    node = Node(tmp_path / "leader", PostgresStore(postgres_url, tmp_path / "leader"))
    writes = Writes(node, random.Random(1))
    writes.fill()
    node.settle()
    node.check_lexical()
    for _ in range(5):
        writes.one()
    node.checkpoints.make()
    yield node
    node.stop()


@pytest.fixture
def source(node: Node) -> Source:
    return Source(node.directory)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "follower" / "checkpoints"
    directory.mkdir(parents=True)
    return directory


def start(postgres_url: str, directory: Path) -> Node:
    """Start a follower over the directory."""
    return Node(directory.parent, PostgresStore(postgres_url, directory.parent, follows=True))


def test_a_follower_starts_from_a_fetched_checkpoint(
    node: Node, source: Source, directory: Path, postgres_url: str
) -> None:
    with node.store.read() as snapshot:
        assert needs_checkpoint(directory, snapshot)
        assert try_to_fetch(source, directory)
        assert not needs_checkpoint(directory, snapshot)
    follower = start(postgres_url, directory)
    segments = follower.catalog.state.views["lib"].segments
    assert segments[0].rows.mapped
    assert follower.checkpoint.lexical
    assert follower.checkpoint.set_aside == []
    follower.check()
    follower.check_lexical()
    assert follower.checkpoints.make() == node.catalog.position
    follower.stop()


def test_only_the_files_of_libraries_that_are_held_are_fetched(
    node: Node, source: Source, directory: Path, postgres_url: str
) -> None:
    writes = Writes(node, random.Random(3))
    writes.fill("other")
    node.settle()
    node.checkpoints.make()
    assert try_to_fetch(source, directory, lambda id_: id_ == "other")
    [path] = paths_in(directory)
    with ThreadPoolExecutor(1) as pool:
        fetched = read_manifest(path, pool)
        theirs = read_manifest(node.directory / path.name, pool)
    assert set(fetched.libraries) == {"other"}
    assert {each.name for each in directory.iterdir()} == {path.name, *fetched.files}
    assert theirs.files > fetched.files
    store = PostgresStore(postgres_url, directory.parent, follows=True)
    with closing(store):
        catalog, loaded = open_catalog(store, directory, lambda id_: id_ == "other")
    check_view(catalog.state.views["other"], node.catalog.state.views["other"])
    assert set(catalog.state.elsewhere) == {"lib"}
    assert loaded.set_aside == []


def test_without_a_checkpoint_there_is_none_to_fetch(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert not try_to_fetch(CheckpointFolder(tmp_path / "empty"), directory)
    assert not try_to_fetch(CheckpointFolder(tmp_path / "missing"), directory)


@pytest.mark.parametrize("file", range(1, 6))
def test_half_a_checkpoint_is_thrown_away(source: Source, directory: Path, file: int) -> None:
    source.fails_at, source.failure = file, OSError("The peer has closed the connection.")
    assert not try_to_fetch(source, directory)
    assert_nothing_remains(directory)


@pytest.mark.parametrize("suffix", [".checkpoint", ".rows", ".index", ".attributes", ".words"])
def test_a_damaged_file_is_refused(source: Source, directory: Path, suffix: str) -> None:
    source.flips = suffix
    assert not try_to_fetch(source, directory)
    assert_nothing_remains(directory)


def test_a_full_disk_ends_the_fetch(
    source: Source, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("core.replication.fetching.os.fsync", fail)
        assert not try_to_fetch(source, directory)
    assert_nothing_remains(directory)
    assert try_to_fetch(source, directory)


def test_a_checkpoint_that_is_replaced_meanwhile_gives_way_to_the_next(
    node: Node, source: Source, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Writes(node, random.Random(2))
    opens = CheckpointFolder.open

    def replace_once(self: CheckpointFolder, name: str) -> object:
        if len(source.opened) == 2:
            for _ in range(3):
                writes.one()
                node.checkpoints.make()
            for path in node.directory.glob("*.checkpoint"):
                if path != paths_in(node.directory)[0]:
                    path.unlink()
            (node.directory / name).unlink(missing_ok=True)
            raise FileNotFoundError(name)
        return opens(self, name)

    monkeypatch.setattr(CheckpointFolder, "open", replace_once)
    fetched = try_to_fetch(source, directory)
    names = [name for name in source.opened if name.endswith(".checkpoint")]
    assert len(set(names)) == 2
    assert fetched == (directory / names[-1]).exists()


@pytest.mark.parametrize("name", ["../x.checkpoint", ".x.checkpoint", "a/b.checkpoint", "x.rows"])
def test_a_name_that_leads_elsewhere_is_refused(
    source: Source, directory: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "newest", lambda: name)
    assert not try_to_fetch(source, directory)
    assert source.opened == []
    assert_nothing_remains(directory)


def assert_nothing_remains(directory: Path) -> None:
    assert list(directory.iterdir()) == []
    assert not (directory.parent / DIRECTORY).exists()
