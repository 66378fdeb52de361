"""The attribute index of one sealed segment."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence, Set

import numpy as np
from immutables import Map
from pyroaring import BitMap

from core.domain.document import Chunk, Document
from core.domain.filters import Field, Filter, Order, Predicate, Scope
from core.domain.schema import FieldType
from core.indexing.attributes import bitmaps
from core.indexing.attributes.bitmaps import Rows
from core.indexing.attributes.choosing import fields_worth_indexing
from core.indexing.attributes.column import Column
from core.indexing.attributes.evaluation import OF_DOCUMENTS, Evaluation
from core.indexing.attributes.reading import metadata_values, values_at, values_of

_DOCUMENT_ID = Field(Scope.CHUNK, "document_id")
_UNINDEXED = (Scope.CHUNK, "text")

ColumnKey = tuple[Scope, str]
OrderingKey = tuple[ColumnKey, bool, bool]
"""The column, whether to compare by instants, and whether the order descends."""
_BY_ID: OrderingKey = (Scope.CHUNK, "id"), False, False


class AttributeIndex:
    """An attribute index whose answers never change; row `i` is `chunks[i]`.

    Document fields are those at build time. A column that the build did not create is created when
    a filter first uses the field, in about the time of one scan. Two threads that need a column at
    once both create it, and one of the two is kept.
    """

    __slots__ = ("_columns", "_documents", "_orderings", "_stored", "chunks")

    def __init__(self, chunks: Sequence[Chunk], documents: Mapping[str, Document]) -> None:
        self.chunks = chunks
        self._documents = documents
        self._columns: dict[ColumnKey, Column] = {}
        self._orderings: dict[OrderingKey, Rows] = {}
        self._stored: Mapping[ColumnKey, Callable[[], Column]] = {}

    @classmethod
    def from_stored(
        cls,
        chunks: Sequence[Chunk],
        documents: Mapping[str, Document],
        columns: Mapping[ColumnKey, Callable[[], Column]],
        orderings: Mapping[OrderingKey, Rows],
    ) -> "AttributeIndex":
        """Restore an index from stored columns, each read on first use, and orderings.

        `documents`: as they were when columns and orderings were built; must not change.
        """
        index = cls(chunks, documents)
        index._stored = columns
        index._orderings = dict(orderings)
        return index

    @classmethod
    def build(
        cls,
        chunks: Sequence[Chunk],
        documents: Mapping[str, Document],
        fields: Iterable[Field] = (),
    ) -> "AttributeIndex":
        """Build an index with the order by id, and columns of `fields` and of frequent metadata
        keys.

        `documents`: at least those of the chunks; must not change.
        """
        index = cls(chunks, documents)
        index.column(_DOCUMENT_ID)
        index._rows_by_id()
        chosen = [*fields, *fields_worth_indexing(chunks)]
        index._build_metadata_columns(chosen)
        for field in chosen:
            if column := index.column(field):
                column.warm()
        return index

    def _build_metadata_columns(self, fields: Iterable[Field]) -> None:
        scope = Scope.CHUNK_METADATA
        keys = dict.fromkeys(field.key for field in fields if field.scope is scope)
        for key, values in metadata_values([*keys], self.chunks):
            again = values_at(Field(scope, key), self.chunks, self._documents)
            self._columns[scope, key] = Column.of(values, again)

    @property
    def size(self) -> int:
        return len(self.chunks)

    @property
    def fields(self) -> list[Field]:
        """The fields that have columns; the index that replaces this one can start with them."""
        return [Field(scope, key) for scope, key in {**self._stored, **self._columns}]

    @property
    def keys(self) -> Set[object]:
        """The keys of all columns and orderings.

        If an index has more keys than when it was written to a file, the file is incomplete.
        """
        return {*self._stored, *self._columns, *self._orderings}

    @property
    def orderings(self) -> Mapping[OrderingKey, Rows]:
        """The orderings built so far."""
        return dict(self._orderings)

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
        """Return the rows of `within`, all if `None`, that match.

        `documents`: the current ones of all rows in `within`. `stale`: the ids of documents that
        changed since the build, whose rows are tested one by one.
        """
        documents = self._documents if documents is None else documents
        within = bitmaps.full(self.size) if within is None else within
        return Evaluation(self, documents, stale).rows(filter_, within)

    @property
    def documents(self) -> int:
        """The number of distinct documents."""
        return len(self._ids(_DOCUMENT_ID).texts)

    def has_document(self, document_id: str) -> bool:
        ids = self._ids(_DOCUMENT_ID).texts
        place = bisect_left(ids, document_id)
        return place < len(ids) and ids[place] == document_id

    def rows_of_documents(self, ids: Set[str]) -> BitMap:
        return self._ids(_DOCUMENT_ID).any_of(ids, instants=False)

    def changed_documents(self, documents: Mapping[str, Document]) -> Set[str]:
        """Return the ids of the segment's documents that were changed or deleted. O(documents)."""
        if documents is self._documents:
            return frozenset()
        before, ids = self._documents, self._ids(_DOCUMENT_ID).texts
        return frozenset(id_ for id_ in ids if documents.get(id_) is not before.get(id_))

    def with_documents(self, documents: Map[str, Document]) -> "AttributeIndex":
        """Return an index for the current documents, without the columns of document fields.

        O(documents). Those columns are built again when needed. Deleted documents, whose chunks are
        deleted too, stay as they were.
        """
        before, ids = self._documents, self._ids(_DOCUMENT_ID).texts
        deletions = {id_: before[id_] for id_ in ids if id_ not in documents}
        index = AttributeIndex(self.chunks, documents.update(deletions) if deletions else documents)
        index._columns = {k: c for k, c in list(self._columns.items()) if k[0] not in OF_DOCUMENTS}
        index._stored = {k: c for k, c in self._stored.items() if k[0] not in OF_DOCUMENTS}
        index._orderings = {
            k: rows for k, rows in list(self._orderings.items()) if k[0][0] not in OF_DOCUMENTS
        }
        return index

    def has_column(self, field: Field) -> bool:
        key = field.scope, field.key
        return key in self._columns or key in self._stored

    def column(self, field: Field) -> Column | None:
        """Return the column of a field; `None` for the text of chunks, which has none."""
        key = field.scope, field.key
        if key == _UNINDEXED:
            return None
        column = self._columns.get(key)
        if column is None:
            read = self._stored.get(key)
            column = self._build_column(field) if read is None else read()
            self._columns[key] = column
        return column

    def _build_column(self, field: Field) -> Column:
        chunks, documents = self.chunks, self._documents
        return Column.of(values_of(field, chunks, documents), values_at(field, chunks, documents))

    def first(
        self, order: Order | None, within: BitMap, count: int, is_behind: Predicate | None = None
    ) -> list[int] | None:
        """Return up to `count` first rows of `within` in an order, by id if `None`, ties by id.

        `is_behind`: false up to some place in the order, and true behind it.

        Returns:
            The rows; `None` for the order by the text of chunks, which has no index.
        """
        rows = self._rows_by_id() if order is None else self._rows_in_order(order)
        if rows is None:
            return None
        start = 0 if is_behind is None else bisect_left(rows, True, key=self._by_row(is_behind))
        mask = bitmaps.to_mask(within, self.size)
        first: list[int] = []
        step = 4 * count
        while start < self.size and len(first) < count:
            block = rows[start : start + step]
            first += block[mask[block]][: count - len(first)].tolist()
            start, step = start + step, 4 * step
        return first

    def _rows_by_id(self) -> Rows:
        rows = self._orderings.get(_BY_ID)
        if rows is None:
            ids = [chunk.id for chunk in self.chunks]
            in_order = sorted(range(self.size), key=ids.__getitem__)
            rows = self._orderings[_BY_ID] = np.array(in_order, np.uint32)
        return rows

    def _rows_in_order(self, order: Order) -> Rows | None:
        """Return all rows in the order, ties by id, rows without a key last."""
        field = order.field
        instants = field.type is not FieldType.STRING
        key = (field.scope, field.key), instants, order.descending
        rows = self._orderings.get(key)
        if rows is None:
            column = self.column(field)
            if column is None:
                return None
            by_id = self._rows_by_id()
            ranks = column.ranks(instants=instants)[by_id]
            last = ranks.max(initial=-1)
            keyed = last - ranks if order.descending else ranks
            ranks = np.where(ranks < 0, last + 1, keyed)
            rows = self._orderings[key] = by_id[np.argsort(ranks, kind="stable")]
        return rows

    def _ids(self, field: Field) -> Column:
        column = self.column(field)
        assert column is not None
        return column

    def _by_row(self, predicate: Predicate) -> Callable[[int], bool]:
        chunks, documents = self.chunks, self._documents
        return lambda row: predicate(chunks[row], documents[chunks[row].document_id])
