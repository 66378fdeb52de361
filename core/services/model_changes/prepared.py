"""The embeddings of a switch, read before it, so that writes wait for as little as possible."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.changes import EmbeddingsReplaced
from core.domain.document import EmbeddingsById
from core.indexing.views.view import LibraryView


@dataclass(slots=True, eq=False)
class PreparedEmbeddings:
    """The embeddings of a library's chunks by the model that it moves to.

    `places`: the row of each chunk in `embeddings`, `(n, d) float32`. Those of chunks that have got
    a row id of `first_written` or more since may be others, or missing.
    """

    library_id: str
    places: dict[str, int]
    embeddings: NDArray[np.float32]
    first_written: int

    def written_ids(self, view: LibraryView) -> list[str]:
        """Return the ids of the chunks that have got a row id since."""
        row_ids = view.row_ids(view.matching(None))
        written = row_ids[np.searchsorted(row_ids, self.first_written) :]
        return [chunk.id for chunk in view.chunks_of(written)]

    def update(self, embeddings: EmbeddingsById) -> None:
        """Add the embeddings of chunks that were written since."""
        for id_ in embeddings.keys() & self.places.keys():
            self.embeddings[self.places[id_]] = embeddings[id_]
        added = [id_ for id_ in embeddings if id_ not in self.places]
        if not added:
            return
        rows = np.stack([embeddings[id_] for id_ in added])
        before = self.embeddings if self.places else rows[:0]
        self.places |= {id_: len(before) + row for row, id_ in enumerate(added)}
        self.embeddings = np.concatenate([before, rows])

    def replacing(self, view: LibraryView) -> EmbeddingsReplaced:
        """Return the change of the view's chunks, all of which are prepared."""
        ids, embeddings = list(self.places), self.embeddings
        if len(ids) != view.vectors:  # some chunks were deleted
            alive = view.row_ids_of(ids)
            ids = [id_ for id_ in ids if id_ in alive]
            embeddings = embeddings[[self.places[id_] for id_ in ids]]
        return EmbeddingsReplaced(self.library_id, ids, embeddings)
