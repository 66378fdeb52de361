"""A node over a data directory that stops and restarts, with random writes."""

import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from core.adapters.sqlite import SqliteStore
from core.domain.filters import Filter, parse
from core.domain.library import Language, Metric
from core.domain.place import Place, indexed_text
from core.indexing.checkpoints.loaded import LoadedCheckpoint
from core.indexing.checkpoints.loading import CheckpointLoader
from core.indexing.checkpoints.paths import DIRECTORY
from core.indexing.lexical.bm25 import LexicalIndex
from core.indexing.lexical.catch_up import LexicalIndexes
from core.indexing.lexical.checkpointed import WORKING, LexicalFiles
from core.indexing.maintenance.build_thread import BuildThread
from core.indexing.maintenance.segment_builder import SegmentBuilder
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.ranking import Ranking
from core.indexing.views.view import LibraryView
from core.ports.store import Store
from core.services.background.checkpoints import Checkpoints
from core.services.background.index_rebuilder import IndexRebuilder
from tests.samples import a_document, a_library, a_row
from tests.waiting import BUILT_S

DIMENSION = 4
QUERIES = np.random.default_rng(7).standard_normal((3, DIMENSION)).astype(np.float32)
NEVER_S = 1e6
WORDS = (*(f"word{i}" for i in range(9)), "run", "runs", "running")
ALL = 10_000


class Node:
    """A process's core without services: a store, a catalog that follows it, and checkpoints."""

    def __init__(self, data_dir: Path, store: Store | None = None, **settings: Any) -> None:
        self.directory = data_dir / DIRECTORY
        self.directory.mkdir(parents=True, exist_ok=True)
        self.store: Store = store or SqliteStore(data_dir)
        with self.store.read() as snapshot, ThreadPoolExecutor(2) as pool:
            self.checkpoint: LoadedCheckpoint = CheckpointLoader(
                self.directory, snapshot, pool
            ).load()
            state = CatalogState.of(
                snapshot.position,
                self.checkpoint.views,
                self.checkpoint.missing,
                log_hash=snapshot.log.last_hash,
            )
        self.catalog = Catalog(state)
        self.store.subscribe(self.catalog.apply)
        self.builder = BuildThread(self.catalog, SegmentBuilder(1))
        self.builder.start()
        working = data_dir / WORKING
        shutil.rmtree(working, ignore_errors=True)
        working.mkdir()
        files = LexicalFiles(working, self.directory)
        self.lexical = LexicalIndexes(self.catalog, files, self.checkpoint.lexical)
        nobody_follows = {"followed_from": lambda: 2**60}
        settings = {"every_s": NEVER_S, "every_bytes": 2**60} | nobody_follows | settings
        self.checkpoints = Checkpoints(
            self.directory, self.catalog, self.store, self.checkpoint, self.lexical, **settings
        )
        self.rebuilder = IndexRebuilder(self.catalog, self.store)

    def settle(self) -> None:
        self.builder.wait_until_idle(BUILT_S)

    def stop(self) -> None:
        """Stop without a final checkpoint, as after a kill."""
        self.rebuilder.close()
        self.builder.close()
        self.store.close()

    def check(self) -> None:
        """Compare the views with the whole record."""
        with self.store.read() as snapshot:
            recorded = Catalog.load(snapshot)
        assert self.catalog.position == recorded.position
        assert set(self.catalog.state.views) == set(recorded.state.views)
        for id_, theirs in recorded.state.views.items():
            check_view(self.catalog.state.views[id_], theirs)

    def check_lexical(self) -> None:
        """Compare the lexical indexes with rebuilt ones."""
        ids = list(self.catalog.state.views)
        state, readers = self.lexical.catch_up(ids)
        for id_ in ids:
            view = state.views[id_]
            row_ids = view.row_ids(view.matching(None)).tolist()
            chunks = ((row_id, view.chunk(row_id)) for row_id in row_ids)
            texts = ((row_id, indexed_text(c.text, c.place)) for row_id, c in chunks)
            rebuilt = LexicalIndex(view.library.language).change(texts, [])
            for word in WORDS:
                actual, must = (
                    reader.search(word, ALL).row_ids.tolist() for reader in (readers[id_], rebuilt)
                )
                assert sorted(actual) == sorted(must)


def check_view(mine: LibraryView, theirs: LibraryView) -> None:
    assert (mine.library, dict(mine.documents)) == (theirs.library, dict(theirs.documents))
    assert contents(mine) == contents(theirs)
    for wanted in FILTERS:
        parsed = None if wanted is None else parsed_of(wanted)
        matches = mine.matching(parsed), theirs.matching(parsed)
        pairs = list(zip((mine, theirs), matches, strict=True))
        names = [{chunk.id for chunk in view.chunks(those)} for view, those in pairs]
        assert names[0] == names[1]
        rankings = [view.search(QUERIES, 5, matches=those) for view, those in pairs]
        for ours, others in zip(*rankings, strict=True):
            assert ids_of(mine, ours) == ids_of(theirs, others)


def ids_of(view: LibraryView, ranking: Ranking) -> list[str]:
    return [chunk.id for chunk in view.chunks_of(ranking.row_ids)]


def parsed_of(wanted: object) -> Filter:
    return parse(wanted, None, "")


FILTERS: list[object] = [
    None,
    {"field": "n", "op": "lt", "value": 3},
    {"field": "document.title", "op": "eq", "value": "title 1"},
    {"field": "n", "op": "exists", "value": False},
]


def contents(view: LibraryView) -> dict[str, Any]:
    row_ids = view.row_ids(view.matching(None)).tolist()
    return {
        view.chunk(row_id).id: (view.chunk(row_id), view.embedding(row_id).tolist())
        for row_id in row_ids
    }


class Writes:
    """Random writes to the same few libraries, documents and chunks."""

    def __init__(self, node: Node, chance: random.Random) -> None:
        self.node, self.chance = node, chance

    def fill(self, id_: str = "lib", rows: int = 60, **changes: Any) -> None:
        with self.node.store.write() as unit:
            unit.libraries.put(a_library(id_, dimension=DIMENSION, **changes))
            for number in range(3):
                unit.documents.put(a_document(f"d{number}", id_, title=f"title {number}"))
            unit.chunks.put(id_, [self.row(f"c{i}", id_) for i in range(rows)])
            unit.commit()

    def row(self, chunk_id: str, library_id: str) -> Any:
        chance = self.chance
        vector = np.array([chance.gauss(0, 1) for _ in range(DIMENSION)], np.float32)
        metadata = {"n": chance.randrange(6)} if chance.random() < 0.8 else {}
        document_id, text = f"d{chance.randrange(3)}", " ".join(chance.choices(WORDS, k=3))
        place = chance.choice([None, Place(headings=(chance.choice(WORDS),), line=7)])
        row = a_row(chunk_id, document_id, library_id, metadata=metadata, text=text, place=place)
        return replace(row, embedding=vector)

    def one(self) -> None:
        chance = self.chance
        libraries = sorted(self.node.catalog.state.views)
        library_id = chance.choice(libraries)
        library = self.node.catalog.state.views[library_id].library
        with self.node.store.write() as unit:
            match chance.randrange(7):
                case 0 | 1:
                    ids = {f"c{chance.randrange(90)}" for _ in range(chance.randrange(1, 20))}
                    unit.chunks.put(library_id, [self.row(id_, library_id) for id_ in sorted(ids)])
                case 2:
                    ids = {f"c{chance.randrange(90)}" for _ in range(8)}
                    unit.chunks.delete(library_id, sorted(ids))
                case 3:
                    title = f"title {chance.randrange(3)}"
                    named = a_document(f"d{chance.randrange(3)}", library_id, title=title)
                    unit.documents.put(named)
                case 4:
                    gone = f"d{chance.randrange(3)}"
                    unit.documents.delete(library_id, gone)
                    unit.documents.put(a_document(gone, library_id, title="anew"))
                case 5 if chance.random() < 0.3:
                    language = chance.choice([Language.ENGLISH, Language.NONE])
                    unit.libraries.put(replace(library, language=language))
                case 6 if chance.random() < 0.3:
                    unit.libraries.delete(library_id)
                    later = library.created_at + timedelta(seconds=1)
                    metric = chance.choice(list(Metric))
                    unit.libraries.put(
                        a_library(library_id, dimension=DIMENSION, metric=metric, created_at=later)
                    )
                    for number in range(3):
                        unit.documents.put(a_document(f"d{number}", library_id))
            unit.commit()
