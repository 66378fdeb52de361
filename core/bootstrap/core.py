"""The services and threads of a process, under one name."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from core.cluster.rebalancer import Rebalancer
from core.cluster.status import Cluster
from core.indexing.maintenance.build_thread import BuildThread
from core.indexing.maintenance.kernel_warmup import Warmup
from core.indexing.views.catalog import Catalog
from core.indexing.views.digests import Digests
from core.ports.archive import QuestionArchive
from core.ports.cluster import Role
from core.ports.store import Store
from core.ports.uploads import UploadStore
from core.providers.base import Embedder
from core.replication.follower import Follower, Lag
from core.replication.publishing import CheckpointPublisher
from core.replication.reader import Reader
from core.services.background.checkpoints import Checkpoints
from core.services.background.index_rebuilder import IndexRebuilder
from core.services.background.recall_monitor import RecallMonitor
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.feedback import FeedbackService
from core.services.ingestions import IngestionService
from core.services.libraries import LibraryService
from core.services.maps.service import MapService
from core.services.model_changes.service import ModelChangeService
from core.services.model_changes.steps import ModelChangeSteps
from core.services.search.service import SearchService


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
    ingestions: IngestionService
    uploads: UploadStore
    archive: QuestionArchive
    cluster: Cluster
    digests: Digests
    follower: Follower | Reader | None = None
    """The threads that follow another process while that one writes."""
    rebalancer: Rebalancer | None = None
    """The thread that moves libraries, on a node that holds some of them only."""
    publisher: CheckpointPublisher | None = None
    """The thread that publishes checkpoints, if the settings name an object store."""

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
        if self.publisher is not None:
            self.publisher.close()
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
