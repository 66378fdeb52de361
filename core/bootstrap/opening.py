"""Opening the core of a node or of a reader, and starting its threads."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from importlib.metadata import version

from core.adapters import private
from core.adapters.checkpoint_sources import source_at
from core.adapters.object_store import CheckpointBucket
from core.adapters.registry import engine_of
from core.bootstrap.core import Core
from core.bootstrap.wiring import create_directory, wire
from core.cluster.member import BEATS, Member
from core.cluster.node_id import node_of
from core.cluster.placement import Placement, capacity_of, placement_of
from core.cluster.rebalancer import Rebalancer
from core.cluster.starting import call_at_start
from core.cluster.status import Cluster, LoneNode
from core.domain.errors import StorageError
from core.indexing.checkpoints.paths import DIRECTORY
from core.indexing.lexical.checkpointed import WORKING
from core.indexing.views.catalog import Catalog, CatalogState
from core.ports.checkpoint_source import CheckpointSource
from core.ports.cluster import ClusterRecord, Node
from core.ports.engine import Engine
from core.ports.store import FollowingStore, Store
from core.providers import registry
from core.replication.follower import Follower, Lag
from core.replication.opening import fetch_checkpoint, open_catalog
from core.replication.position_file import NAME as POSITION_FILE
from core.replication.position_file import PositionFile
from core.replication.publishing import CheckpointPublisher
from core.replication.reader import CheckpointReader, Reader
from core.settings import Settings


def open_core(settings: Settings) -> Core:
    """Open the store, load the index, and subscribe the index to the store's commits.

    Raises:
        DataDirInUse: another process has the data directory.
        StorageError: the data directory or the database can't be used.
        ProviderRejected: the provider that the settings name can't be used.
    """
    engine = engine_of(settings)
    record = engine.cluster_record(settings.lease_s / BEATS)
    if record is not None or settings.role == "follower":
        return _open_member(settings, engine, record)
    if settings.checkpoint_store is not None:
        raise StorageError("NALANDA_CHECKPOINT_STORE is for nodes on PostgreSQL; unset it.")
    store = engine.open_store(settings.durability, require_synchronous=settings.require_synchronous)
    core = _open_node(settings, engine, store, lambda _: LoneNode(_node(settings), store))
    core.rebuilder.start()
    return core


def _open_member(settings: Settings, engine: Engine, record: ClusterRecord | None) -> Core:
    """Open the core of a node that follows until it is elected."""
    store = engine.open_follower(
        settings.durability, require_synchronous=settings.require_synchronous
    )
    assert record is not None  # an engine without one has no followers
    with ExitStack() as opened:
        opened.callback(store.close)
        opened.callback(record.close)
        node = _node(settings)
        placement = placement_of(settings, node)
        opened.pop_all()
    join = partial(_join_cluster, settings, node, record, store)
    core = _open_node(settings, engine, store, join, record, placement)
    follower = Follower(
        store,
        core.catalog,
        note=core.checkpoints.note,
        max_lag=Lag(settings.max_lag_entries, settings.max_lag_s),
        holds=placement.holds if placement else lambda _: True,
    )
    core = replace(core, follower=follower)
    follower.start()
    try:
        core.cluster.start()
    except BaseException:
        core.close()
        raise
    if placement is None:
        return core
    rebalancer = Rebalancer(node, placement, record, core.cluster, store, core.catalog, follower)
    rebalancer.start()
    return replace(core, rebalancer=rebalancer)


def _open_node(
    settings: Settings,
    engine: Engine,
    store: Store,
    join: Callable[[Catalog], Cluster],
    record: ClusterRecord | None = None,
    placement: Placement | None = None,
) -> Core:
    """Open the core of a node with a data directory, and start its builds and checkpoints.

    `record`: that of the cluster from which the node may fetch a checkpoint. `placement`: that of
    the libraries, if the node does not hold all of them.
    """
    _choose_kernels(settings)
    try:
        embedders = registry.embedders(settings)
        directory = create_directory(settings.data_dir / DIRECTORY)
        bucket = _checkpoint_bucket(settings, store)
        holds = None
        if record is not None:
            if placement is not None:
                placement.note(call_at_start(record.look).nodes)
                holds = placement.holds
            sources = partial(_checkpoint_sources, settings, store, record, bucket)
            fetch_checkpoint(store, sources, directory, holds)
        catalog, loaded = open_catalog(store, directory, holds)
        cluster = join(catalog)
        core = wire(settings, engine, embedders, store, catalog, loaded, cluster, working=WORKING)
        core.uploads.delete_unfinished()
    except BaseException:
        if record is not None:
            record.close()
        store.close()
        raise
    if bucket is not None:
        publisher = CheckpointPublisher(directory, bucket, lambda: core.cluster.leads)
        core = replace(core, publisher=publisher)
        core.checkpoints.on_make(publisher.wake)
        publisher.start()
    core.checkpoints.start()
    core.warmup.start()
    core.builder.start()
    core.recall_monitor.start()
    core.maps.start()
    return core


def open_reader(settings: Settings, number: int) -> Core:
    """Open the core of a process that searches, on the machine of the one that writes.

    It builds no segments and makes no checkpoints: it follows those of the writer. `number`: which
    of the readers it is.

    Raises:
        StorageError: the data directory or the database can't be used.
        ProviderRejected: the provider that the settings name can't be used.
    """
    embedders = registry.embedders(settings)
    engine = engine_of(settings)
    store = engine.open_replica(settings.durability)
    _choose_kernels(settings)
    try:
        directory = settings.data_dir / DIRECTORY
        checkpoints = CheckpointReader(directory)
        positions = PositionFile(settings.data_dir / POSITION_FILE)
        with store.read() as snapshot:
            loaded = checkpoints.load(snapshot)
            catalog = Catalog(CatalogState.of_snapshot(snapshot, loaded.views))
        cluster = LoneNode(_node(settings), store)
        working = f"{WORKING}/reader-{number}"
        core = wire(settings, engine, embedders, store, catalog, loaded, cluster, working=working)
    except BaseException:
        store.close()
        raise
    reader = Reader(store, catalog, checkpoints, lambda: positions.position)
    reader.start()
    core.warmup.start()
    core.recall_monitor.start()
    core.maps.start()
    return replace(core, follower=reader)


def publish_positions(core: Core, settings: Settings) -> None:
    """Publish the position of each write that this process serves to its readers.

    Call it before writes.

    Raises:
        StorageError: the data directory can't be used.
    """
    path = settings.data_dir / POSITION_FILE
    try:
        private.create(path)
        positions = PositionFile(path)
    except OSError as error:
        raise StorageError(f"{path} can't be used: {error.strerror}") from error
    core.catalog.on_move(positions.publish)


def _choose_kernels(settings: Settings) -> None:
    """Pass the choice of kernels on, which read the environment when they are first imported."""
    os.environ["NALANDA_KERNELS"] = settings.kernels


def _join_cluster(
    settings: Settings, node: Node, record: ClusterRecord, store: FollowingStore, catalog: Catalog
) -> Cluster:
    return Member(
        node,
        record,
        store,
        lambda: catalog.position,
        lease_s=settings.lease_s,
        policy=settings.role,
    )


def _node(settings: Settings) -> Node:
    address = settings.advertise_url or settings.api_url
    node = node_of(settings.data_dir, address, version("nalanda"))
    return replace(node, capacity_bytes=capacity_of(settings))


def _checkpoint_bucket(settings: Settings, store: Store) -> CheckpointBucket | None:
    if settings.checkpoint_store is None:
        return None
    return CheckpointBucket(settings.checkpoint_store, store.instance_id)


def _checkpoint_sources(
    settings: Settings, store: Store, record: ClusterRecord, bucket: CheckpointBucket | None
) -> Iterator[CheckpointSource]:
    """Yield the source that the settings name, or else the object store and then the leader."""
    place = settings.checkpoint_source
    if place is None and bucket is not None:
        yield bucket
    place = place or call_at_start(record.look).lease.address
    if place:
        key = next((key.get_secret_value() for key in settings.api_keys), None)
        yield source_at(place, instance_id=store.instance_id, api_key=key)
