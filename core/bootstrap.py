"""The composition root: builds everything that the API serves from the settings."""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

from core.adapters import private
from core.adapters.checkpoint_sources import source_at
from core.adapters.registry import engine_of
from core.cluster.member import BEATS, Member
from core.cluster.node_id import node_of
from core.cluster.placement import Placement, capacity_of, placement_of
from core.cluster.rebalancer import Rebalancer
from core.cluster.status import Cluster, LoneNode, followed_from
from core.domain.errors import StorageError
from core.indexing.checkpoints.loaded import LoadedCheckpoint
from core.indexing.checkpoints.paths import DIRECTORY
from core.indexing.lexical.catch_up import LexicalIndexes
from core.indexing.lexical.checkpointed import WORKING, LexicalFiles
from core.indexing.maintenance.back_pressure import BackPressure
from core.indexing.maintenance.build_thread import BuildThread
from core.indexing.maintenance.kernel_warmup import Warmup
from core.indexing.maintenance.segment_builder import SegmentBuilder
from core.indexing.vectors.search_activity import SearchActivity
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.digests import Digests
from core.ports.archive import QuestionArchive
from core.ports.checkpoint_source import CheckpointSource
from core.ports.cluster import ClusterRecord, Node, Role
from core.ports.engine import Engine
from core.ports.store import FollowingStore, Store
from core.ports.uploads import UploadStore
from core.providers import registry
from core.providers.base import Embedder
from core.replication.follower import Follower, Lag
from core.replication.opening import fetch_checkpoint, open_catalog
from core.replication.position_file import NAME as POSITION_FILE
from core.replication.position_file import PositionFile
from core.replication.reader import CheckpointReader, Reader
from core.services.background.checkpoints import Checkpoints
from core.services.background.index_rebuilder import IndexRebuilder
from core.services.background.recall_monitor import RecallMonitor
from core.services.chunk_writes import ChunkWrites
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.embedding import TextEmbedding
from core.services.feedback import FeedbackService
from core.services.libraries import LibraryService
from core.services.maps.service import MapService
from core.services.model_changes.service import ModelChangeService
from core.services.model_changes.steps import ModelChangeSteps
from core.services.model_changes.write_gate import WriteGate
from core.services.search.service import SearchService
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Core:
    """The services and background threads of a process, wired together; closed once, at its end."""

    store: Store
    catalog: Catalog
    builder: BuildThread
    checkpoints: Checkpoints
    rebuilder: IndexRebuilder
    warmup: Warmup
    recall_monitor: RecallMonitor
    maps: MapService
    embedders: Mapping[str, Embedder]
    default_model: str
    libraries: LibraryService
    documents: DocumentService
    chunks: ChunkService
    search: SearchService
    model_changes: ModelChangeService
    model_change_steps: ModelChangeSteps
    feedback: FeedbackService
    uploads: UploadStore
    archive: QuestionArchive
    cluster: Cluster
    digests: Digests
    follower: Follower | Reader | None = None
    """The threads that follow another process while that one writes."""
    rebalancer: Rebalancer | None = None
    """The thread that moves libraries, on a node that holds some of them only."""

    @property
    def role(self) -> Role:
        if isinstance(self.follower, Reader):
            return "reader"
        return "leader" if self.cluster.leads else "follower"

    @property
    def lag(self) -> Lag:
        return Lag(0, 0.0) if self.follower is None or self.role == "leader" else self.follower.lag

    def close(self) -> None:
        if self.rebalancer is not None:
            self.rebalancer.close()
        self.cluster.close()
        if self.follower is not None:
            self.follower.close()
        self.warmup.close()
        self.recall_monitor.close()
        self.maps.close()
        self.builder.close()
        self.rebuilder.close()
        self.checkpoints.close()
        self.uploads.close()
        self.archive.close()
        self.store.close()

    def __enter__(self) -> "Core":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


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
        directory = _create_directory(settings.data_dir / DIRECTORY)
        holds = None
        if record is not None:
            if placement is not None:
                placement.note(record.look().nodes)
                holds = placement.holds
            source = partial(_checkpoint_source, settings, store, record)
            fetch_checkpoint(store, source, directory, holds)
        catalog, loaded = open_catalog(store, directory, holds)
        cluster = join(catalog)
        core = _wire(settings, engine, embedders, store, catalog, loaded, cluster, working=WORKING)
        core.uploads.delete_unfinished()
    except BaseException:
        if record is not None:
            record.close()
        store.close()
        raise
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
        core = _wire(settings, engine, embedders, store, catalog, loaded, cluster, working=working)
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


def _wire(
    settings: Settings,
    engine: Engine,
    embedders: Mapping[str, Embedder],
    store: Store,
    catalog: Catalog,
    loaded: LoadedCheckpoint,
    cluster: Cluster,
    *,
    working: str,
) -> Core:
    """Build the services and the threads, none of which is started.

    `working`: the folder of lexical indexes, below the data directory.
    """
    default_model = next(iter(embedders))
    embedding = TextEmbedding(embedders, default_model)
    directory = settings.data_dir / DIRECTORY
    files = LexicalFiles(_recreate_directory(settings.data_dir / working), directory)
    lexical = LexicalIndexes(catalog, files, loaded.lexical)
    runtime = catalog.state.runtime
    builder = BuildThread(catalog, _segment_builder(settings, runtime.activity))
    checkpoints = Checkpoints(
        directory,
        catalog,
        store,
        loaded,
        lexical,
        every_s=settings.checkpoint_s,
        every_bytes=settings.checkpoint_bytes,
        followed_from=lambda: followed_from(cluster.status()),
    )
    gate = WriteGate()
    writes = ChunkWrites(embedding, gate.before(BackPressure(catalog, builder.error).admit))
    steps = ModelChangeSteps(store, embedding, catalog, gate)
    recall_monitor = RecallMonitor()
    return Core(
        store=store,
        catalog=catalog,
        builder=builder,
        checkpoints=checkpoints,
        rebuilder=IndexRebuilder(catalog, store),
        warmup=Warmup(runtime.delta),
        recall_monitor=recall_monitor,
        maps=MapService(catalog, embedders),
        embedders=embedders,
        default_model=default_model,
        libraries=LibraryService(store, embedding),
        documents=DocumentService(store, writes),
        chunks=ChunkService(store, writes, catalog),
        search=SearchService(
            catalog,
            embedders,
            min_position_wait_s=settings.min_position_wait_s,
            recall_monitor=recall_monitor,
            index_error=builder.error,
            lexical=lexical,
        ),
        model_changes=ModelChangeService(store, embedding, steps.staging),
        model_change_steps=steps,
        feedback=FeedbackService(store),
        uploads=engine.uploads(settings.max_upload_bytes),
        archive=engine.archive(),
        cluster=cluster,
        digests=Digests(),
    )


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


def _checkpoint_source(
    settings: Settings, store: Store, record: ClusterRecord
) -> CheckpointSource | None:
    """Return the source that the settings name, or the leader."""
    place = settings.checkpoint_source or record.look().lease.address
    if not place:
        return None
    key = next((key.get_secret_value() for key in settings.api_keys), None)
    return source_at(place, instance_id=store.instance_id, api_key=key)


def _segment_builder(settings: Settings, activity: SearchActivity) -> SegmentBuilder:
    threads = settings.index_threads or os.cpu_count() or 1
    if settings.vectors == "memory":
        return SegmentBuilder(threads, activity=activity)
    vectors_dir = _create_directory(settings.data_dir / "vectors")
    return SegmentBuilder(threads, vectors_dir, activity=activity)


def _recreate_directory(path: Path) -> Path:
    """Create an empty directory, in place of any that is there.

    Raises:
        StorageError: the directory can't be created.
    """
    shutil.rmtree(path, ignore_errors=True)
    return _create_directory(path)


def _create_directory(path: Path) -> Path:
    """Create the directory where it is missing.

    Raises:
        StorageError: the directory can't be created.
    """
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path} can't be used: {error.strerror}") from error
    return path
