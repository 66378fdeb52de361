"""The composition root: from the settings to everything that the API serves."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from core.adapters.postgres import PostgresStore
from core.adapters.sqlite import SqliteStore
from core.domain.errors import StorageError
from core.indexing.builder import Builder
from core.indexing.catalog import Catalog
from core.indexing.sealing import Sealing
from core.indexing.warming import Warmup
from core.ports.store import Store
from core.providers import registry
from core.providers.base import Embedder
from core.services.chunk_writes import ChunkWrites
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.embedding import TextEmbedding
from core.services.feedback import FeedbackService
from core.services.libraries import LibraryService
from core.services.search import SearchService
from core.services.shadow import ShadowQueries
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Core:
    """One of each, wired to each other; closed once, when nobody uses it any more."""

    store: Store
    catalog: Catalog
    builder: Builder
    warmup: Warmup
    shadow: ShadowQueries
    embedders: Mapping[str, Embedder]
    libraries: LibraryService
    documents: DocumentService
    chunks: ChunkService
    search: SearchService
    feedback: FeedbackService

    def close(self) -> None:
        self.shadow.close()
        self.builder.close()
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
    """Open the record, load the index from it, and let the index follow its writes.

    Raises:
        DataDirInUse; StorageError: the data directory or the database can't be used.
        ProviderRejected: the provider that the settings name can't be used.
    """
    embedders = registry.embedders(settings)
    embedding = TextEmbedding(embedders, registry.default_model(settings))
    store = _store(settings)
    try:
        catalog = _followed(store)
        builder = Builder(catalog, _sealing(settings))
    except BaseException:
        store.close()
        raise
    writes = ChunkWrites(embedding)
    # Kernels read the environment, once, when they are imported.
    os.environ["NALANDA_KERNELS"] = settings.kernels
    warmup = Warmup()
    warmup.start()
    builder.start()
    shadow = ShadowQueries()
    shadow.start()
    return Core(
        store=store,
        catalog=catalog,
        builder=builder,
        warmup=warmup,
        shadow=shadow,
        embedders=embedders,
        libraries=LibraryService(store, embedding),
        documents=DocumentService(store, writes),
        chunks=ChunkService(store, writes, catalog),
        search=SearchService(
            catalog,
            embedders,
            min_position_wait_s=settings.min_position_wait_s,
            shadow=shadow,
            index_error=builder.error,
        ),
        feedback=FeedbackService(store),
    )


def _store(settings: Settings) -> Store:
    """Raises: DataDirInUse; StorageError: the data directory or the database can't be used."""
    if settings.database_url is None:
        return SqliteStore(settings.data_dir, durability=settings.durability)
    url = settings.database_url.get_secret_value()
    if not url.startswith(("postgresql://", "postgres://")):
        raise StorageError(
            "NALANDA_DATABASE_URL must begin with postgresql://; unset it to store in SQLite."
        )
    return PostgresStore(url, settings.data_dir, durability=settings.durability)


def _followed(store: Store) -> Catalog:
    """No one writes yet, so that nothing falls between the load and the subscription."""
    with store.read() as snapshot:
        catalog = Catalog.load(snapshot)
    store.subscribe(catalog.apply)
    return catalog


def _sealing(settings: Settings) -> Sealing:
    threads = settings.index_threads or os.cpu_count() or 1
    if settings.vectors == "memory":
        return Sealing(threads)
    vectors_dir = settings.data_dir / "vectors"
    try:
        vectors_dir.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"{vectors_dir} can't be used: {error.strerror}") from error
    return Sealing(threads, vectors_dir)
