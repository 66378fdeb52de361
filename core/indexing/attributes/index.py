"""The attribute index of one sealed part."""

from collections.abc import Iterable, Mapping, Sequence, Set

import numpy as np
from pyroaring import BitMap

from core.domain.document import Chunk, Document
from core.domain.filters import Field, Filter, Order, Scope
from core.domain.schema import FieldType
from core.indexing.attributes import bitmaps
from core.indexing.attributes.bitmaps import Rows
from core.indexing.attributes.choosing import fields_worth_indexing
from core.indexing.attributes.column import Column
from core.indexing.attributes.evaluation import Evaluation

_ID = Field(Scope.CHUNK, "id")
_DOCUMENT_ID = Field(Scope.CHUNK, "document_id")
_UNINDEXED = (Scope.CHUNK, "text")

_ColumnKey = tuple[Scope, str]


class AttributeIndex:
    """What it answers never changes. Row `i` is `chunks[i]`, in the document as of the build.

    A column is made when a field is first asked for, in about the time of one scan, unless the
    build made it. Two threads that need one at once both make it, and one of the two is kept.
    """

    __slots__ = ("_columns", "_documents", "_orderings", "chunks")

    def __init__(self, chunks: Sequence[Chunk], documents: Mapping[str, Document]) -> None:
        self.chunks = chunks
        self._documents = documents
        self._columns: dict[_ColumnKey, Column] = {}
        self._orderings: dict[tuple[_ColumnKey, bool, bool], Rows] = {}

    @classmethod
    def build(
        cls,
        chunks: Sequence[Chunk],
        documents: Mapping[str, Document],
        fields: Iterable[Field] = (),
    ) -> "AttributeIndex":
        """With columns of the fields and of what chunks' metadata mostly has.

        `documents`: those of the chunks at least; must not change.
        """
        index = cls(chunks, documents)
        for field in (*fields, *fields_worth_indexing(chunks)):
            if column := index.column(field):
                column.warm()
        return index

    @property
    def size(self) -> int:
        return len(self.chunks)

    @property
    def fields(self) -> list[Field]:
        """That have columns: what an index that takes this one's place may begin with."""
        return [Field(scope, key) for scope, key in list(self._columns)]

    @property
    def memory_bytes(self) -> int:
        columns, orderings = list(self._columns.values()), list(self._orderings.values())
        return sum(c.memory_bytes for c in columns) + sum(rows.nbytes for rows in orderings)

    def matching(
        self,
        filter_: Filter,
        documents: Mapping[str, Document] | None = None,
        *,
        stale: Set[str] = frozenset(),
        within: BitMap | None = None,
    ) -> BitMap:
        """The rows of `within`, all if `None`, that match.

        `documents`: the current ones, of all rows in `within`. `stale`: the ids of those that
        are others than at the build. Their rows are tested one by one.
        """
        documents = self._documents if documents is None else documents
        within = bitmaps.full(self.size) if within is None else within
        return Evaluation(self, documents, stale).rows(filter_, within)

    def rows_of_documents(self, ids: Set[str]) -> BitMap:
        column = self.column(_DOCUMENT_ID)
        assert column is not None
        return column.any_of(ids, instants=False)

    def changed(self, documents: Mapping[str, Document]) -> Set[str]:
        """The ids of the part's documents that are others now, or gone. O(documents)."""
        ids = {chunk.document_id for chunk in self.chunks}
        return {id_ for id_ in ids if documents.get(id_) is not self._documents.get(id_)}

    def has_column(self, field: Field) -> bool:
        return (field.scope, field.key) in self._columns

    def column(self, field: Field) -> Column | None:
        """`None` for the text of chunks, which has none."""
        key = field.scope, field.key
        if key == _UNINDEXED:
            return None
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = Column(self._values(field))
        return column

    def rows_by_id(self) -> Rows:
        """All rows, in order of the chunks' ids."""
        column = self.column(_ID)
        assert column is not None
        return column.rows_by_text()

    def rows_by(self, order: Order) -> Rows | None:
        """All rows in an order, ties by id; `None` for an order by the text of chunks."""
        field = order.field
        instants = field.type is not FieldType.STRING
        key = (field.scope, field.key), instants, order.descending
        found = self._orderings.get(key)
        if found is None:
            column = self.column(field)
            if column is None:
                return None
            by_id = self.rows_by_id()
            ranks = column.ranks(instants=instants)[by_id]
            last = ranks.max(initial=-1)
            keyed = last - ranks if order.descending else ranks
            ranks = np.where(ranks < 0, last + 1, keyed)
            found = self._orderings[key] = by_id[np.argsort(ranks, kind="stable")]
        return found

    def _values(self, field: Field) -> list[object]:
        read, documents = field.reader(), self._documents
        return [read(chunk, documents[chunk.document_id]) for chunk in self.chunks]
