"""The leader publishes its checkpoints in an object store, and followers start from them."""

import logging
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer

from core.adapters.object_store import CheckpointBucket
from core.adapters.postgres import PostgresStore
from core.domain.errors import StorageError
from core.indexing.checkpoints.paths import newest_in
from core.replication.fetching import try_to_fetch
from core.replication.publishing import GRACE, CheckpointPublisher
from tests.integration.storage.nodes import Node, Writes
from tests.waiting import until

INSTANCE = "i1"


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 20)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.SMALL_ROWS", 20)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Yield the address of a server of S3's wire shape, with the bucket `shared`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    with urlopen(Request(f"{address}/shared", method="PUT")):
        pass
    yield address
    server.stop()


@pytest.fixture(params=["file", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "file":
        return f"file://{tmp_path}/bucket"
    address = request.getfixturevalue("s3")
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    return f"s3://shared/{tmp_path.name}"


@pytest.fixture
def bucket(url: str) -> CheckpointBucket:
    return CheckpointBucket(url, INSTANCE)


@pytest.fixture
def node(postgres_url: str, tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "leader", PostgresStore(postgres_url, tmp_path / "leader"))
    Writes(node, random.Random(1)).fill()
    node.settle()
    node.checkpoints.make()
    yield node
    node.stop()


def publisher(node: Node, bucket: CheckpointBucket) -> CheckpointPublisher:
    return CheckpointPublisher(node.directory, bucket, lambda: True)


def newest(node: Node) -> Path:
    path = newest_in(node.directory)
    assert path is not None
    return path


def test_a_follower_starts_from_a_published_checkpoint(
    node: Node, bucket: CheckpointBucket, tmp_path: Path, postgres_url: str
) -> None:
    publisher(node, bucket).publish(newest(node))
    directory = tmp_path / "follower" / "checkpoints"
    directory.mkdir(parents=True)
    assert try_to_fetch(bucket, directory)
    store = PostgresStore(postgres_url, directory.parent, follows=True)
    follower = Node(directory.parent, store)
    assert follower.catalog.state.views["lib"].segments[0].rows.mapped
    follower.check()
    follower.stop()


def test_only_new_files_are_uploaded_and_two_checkpoints_stay(
    node: Node, bucket: CheckpointBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Writes(node, random.Random(2))
    put: list[str] = []
    puts = CheckpointBucket.put

    def put_and_note(self: CheckpointBucket, name: str, path: Path) -> None:
        put.append(name)
        puts(self, name, path)

    monkeypatch.setattr(CheckpointBucket, "put", put_and_note)
    names = set()
    for _ in range(4):
        writes.one()
        node.checkpoints.make()
        names.add(newest(node).name)
        publisher(node, bucket).publish(newest(node))
    files = [name for name in put if name not in names]
    assert len(files) == len(set(files))
    there = sorted(name for name in bucket.entries() if name.endswith(".checkpoint"))
    assert len(names) > 2
    assert there == sorted(names)[-2:]


def test_each_new_checkpoint_is_published_by_the_leader_alone(
    node: Node, bucket: CheckpointBucket
) -> None:
    leads = False
    published = CheckpointPublisher(node.directory, bucket, lambda: leads)
    node.checkpoints.on_make(published.wake)
    published.start()
    Writes(node, random.Random(3)).one()
    node.checkpoints.make()
    assert bucket.newest() is None
    leads = True
    Writes(node, random.Random(4)).one()
    node.checkpoints.make()
    until(lambda: bucket.newest() == newest(node).name)
    published.close()


def test_checkpoints_of_a_record_that_went_back_are_deleted(
    node: Node, bucket: CheckpointBucket
) -> None:
    later = newest(node).with_name(f"{10**9:020}.checkpoint")
    bucket.put(later.name, newest(node))
    publisher(node, bucket).publish(newest(node))
    assert bucket.newest() == newest(node).name


def test_files_of_an_unfinished_upload_stay_for_an_hour(
    node: Node, bucket: CheckpointBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(b"x")
    for name in ("old.rows", "young.rows"):
        bucket.put(name, tmp_path / "x")
    entries = CheckpointBucket.entries
    old = datetime.now(UTC) - GRACE - timedelta(minutes=1)
    with monkeypatch.context() as patch:
        patch.setattr(CheckpointBucket, "entries", lambda self: {**entries(self), "old.rows": old})
        publisher(node, bucket).publish(newest(node))
    assert "young.rows" in bucket.entries()
    assert "old.rows" not in bucket.entries()


def test_other_databases_have_other_folders(node: Node, url: str, bucket: CheckpointBucket) -> None:
    publisher(node, bucket).publish(newest(node))
    assert CheckpointBucket(url, "i2").newest() is None


def test_a_store_that_is_away_is_tried_again(
    node: Node, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.replication.publishing._RETRY_S", 0.01)
    bucket = CheckpointBucket(f"file://{tmp_path}/bucket", INSTANCE)
    (tmp_path / "bucket" / INSTANCE).rmdir()
    (tmp_path / "bucket" / INSTANCE).touch()
    published = publisher(node, bucket)
    with caplog.at_level(logging.WARNING):
        published.start()
        until(lambda: "could not be published" in caplog.text)
        (tmp_path / "bucket" / INSTANCE).unlink()
        (tmp_path / "bucket" / INSTANCE).mkdir()
        until(lambda: bucket.newest() == newest(node).name)
    published.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/srv/shared", "write s3://BUCKET"),
        ("https://example.org/x", "write s3://BUCKET"),
        ("s3:///x", "write s3://BUCKET"),
        ("s3://", "write s3://BUCKET"),
        ("file://shared/x", "file:///FOLDER"),
        ("file:///", "file:///FOLDER"),
        ("s3://shared:port/x", "can't be used"),
    ],
)
def test_a_wrong_url_is_refused_at_the_start(url: str, message: str) -> None:
    with pytest.raises(StorageError, match=message) as refused:
        CheckpointBucket(url, INSTANCE)
    assert f"NALANDA_CHECKPOINT_STORE {url!r}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_without_its_package_the_command_to_install_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    with pytest.raises(StorageError, match=r"pip install 'nalanda\[object-store\]'"):
        CheckpointBucket("s3://shared/x", INSTANCE)
