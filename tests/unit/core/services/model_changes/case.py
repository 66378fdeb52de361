"""A library on the fake store that moves between the models `old` and `new`."""

from collections.abc import Sequence

from core.domain.document import ChunkDraft, DocumentDraft
from core.domain.library import Library, LibraryDraft
from core.domain.model_change import ModelChange, ModelChangeState
from core.indexing.views.catalog import Catalog
from core.services.chunk_writes import ChunkWrites
from core.services.chunks import ChunkService
from core.services.documents import DocumentService
from core.services.embedding import TextEmbedding
from core.services.libraries import LibraryService
from core.services.model_changes.service import ModelChangeService
from core.services.model_changes.steps import ModelChangeSteps
from core.services.model_changes.write_gate import WriteGate
from core.services.search.service import SearchRequest, SearchService
from tests.fakes import FakeStore
from tests.two_models import SpacedEmbedder

State = ModelChangeState
MOST_STEPS = 1_000


class Case:
    """The services of a library `lib` with the document `doc`; `wide` is a third model."""

    def __init__(self, *, new_dimension: int = 16) -> None:
        self.store = FakeStore()
        self.old = SpacedEmbedder("old", 16)
        self.new = SpacedEmbedder("new", new_dimension)
        self.embedders = {"old": self.old, "new": self.new, "wide": SpacedEmbedder("wide", 32)}
        with self.store.read() as snapshot:
            self.catalog = Catalog.load(snapshot)
        self.store.subscribe(self.catalog.apply)
        gate = WriteGate(longest_s=0.05)
        embedding = TextEmbedding(self.embedders, "old")
        writes = ChunkWrites(embedding, gate.before(lambda _id, _rows: None))
        self.libraries = LibraryService(self.store, embedding)
        self.documents = DocumentService(self.store, writes)
        self.chunks = ChunkService(self.store, writes, self.catalog)
        self.steps = ModelChangeSteps(self.store, embedding, self.catalog, gate)
        self.changes = ModelChangeService(self.store, embedding, self.steps.staging)
        self.searches = SearchService(self.catalog, self.embedders, min_position_wait_s=1)
        self.libraries.put("lib", LibraryDraft("books", embedding_model="old"))
        self.documents.put("lib", "doc", DocumentDraft())

    @property
    def library(self) -> Library:
        return self.libraries.get("lib").value

    @property
    def change(self) -> ModelChange:
        change = self.changes.get("lib").value[1]
        assert change is not None
        return change

    def write(self, *texts: str) -> None:
        """Write a chunk for each text, which is its id as well."""
        for text in texts:
            self.chunks.put("lib", text, "doc", ChunkDraft(f"text {text}"))

    def begin(self, model: str = "new") -> None:
        self.changes.begin(self.changes.check("lib", model), model, "workflow")

    def begin_revert(self) -> None:
        self.changes.begin_revert(self.changes.check_revertable("lib")[1], "workflow")

    def step(self, after: str = "") -> str:
        """Do the next step, and return the place of the one that follows."""
        change = self.change
        return self.steps.advance(
            "lib", model=change.target_model, state=change.state, after=after
        ).value.after

    def run(self, *, until: Sequence[State] = ()) -> ModelChange:
        """Do all steps, up to one of the states."""
        after = ""
        for _ in range(MOST_STEPS):
            change = self.change
            if change.state in until or not change.state.in_progress:
                return change
            after = self.step(after)
        raise AssertionError(f"The change is still {self.change.state}.")

    def move(self, model: str = "new") -> ModelChange:
        self.begin(model)
        return self.run()

    def staged(self, model: str) -> int:
        with self.store.read() as snapshot:
            return snapshot.staged.count("lib", model)

    def best(self, text: str) -> tuple[str, float]:
        """Return the first hit of a search for a text, which the library's model embeds."""
        (hit, *_) = self.searches.search(SearchRequest("lib", text=f"text {text}")).hits
        return hit.chunk.id, round(hit.score, 5)
