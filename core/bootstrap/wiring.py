"""Building the services and threads of a process, without starting any."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from core.bootstrap.core import Core
from core.cluster.status import Cluster, followed_from
from core.domain.errors import StorageError
from core.indexing.checkpoints.loaded import LoadedCheckpoint
from core.indexing.checkpoints.paths import DIRECTORY
from core.indexing.lexical.catch_up import LexicalIndexes
from core.indexing.lexical.checkpointed import LexicalFiles
from core.indexing.maintenance.back_pressure import BackPressure
from core.indexing.maintenance.build_thread import BuildThread
from core.indexing.maintenance.kernel_warmup import Warmup
from core.indexing.maintenance.segment_builder import SegmentBuilder
from core.indexing.vectors.search_activity import SearchActivity
from core.indexing.views.catalog import Catalog
from core.indexing.views.digests import Digests
from core.ports.engine import Engine
from core.ports.store import Store
from core.providers.base import Embedder
from core.services.background.checkpoints import Checkpoints
from core.services.background.index_rebuilder import IndexRebuilder
from core.services.background.recall_monitor import RecallMonitor
from core.services.chunk_writes import ChunkWrites
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.embedding import TextEmbedding
from core.services.feedback import FeedbackService
from core.services.ingestions import IngestionService
from core.services.libraries import LibraryService
from core.services.maps.service import MapService
from core.services.model_changes.service import ModelChangeService
from core.services.model_changes.steps import ModelChangeSteps
from core.services.model_changes.write_gate import WriteGate
from core.services.search.service import SearchService
from core.services.search.traced import TracedSearchService
from core.settings import Settings
from core.tracing import spans


def wire(
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
    files = LexicalFiles(recreate_directory(settings.data_dir / working), directory)
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
        search=(TracedSearchService if spans.is_on() else SearchService)(
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
        ingestions=IngestionService(store),
        uploads=engine.uploads(settings.max_upload_bytes),
        archive=engine.archive(),
        cluster=cluster,
        digests=Digests(),
    )


def _segment_builder(settings: Settings, activity: SearchActivity) -> SegmentBuilder:
    threads = settings.index_threads or os.cpu_count() or 1
    if settings.vectors == "memory":
        return SegmentBuilder(threads, activity=activity)
    vectors_dir = create_directory(settings.data_dir / "vectors")
    return SegmentBuilder(threads, vectors_dir, activity=activity)


def recreate_directory(path: Path) -> Path:
    """Create an empty directory, in place of any that is there.

    Raises:
        StorageError: the directory can't be created.
    """
    shutil.rmtree(path, ignore_errors=True)
    return create_directory(path)


def create_directory(path: Path) -> Path:
    """Create the directory where it is missing.

    Raises:
        StorageError: the directory can't be created.
    """
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path} can't be used: {error.strerror}") from error
    return path
