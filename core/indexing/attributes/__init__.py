"""Attribute indexes: the rows of a sealed segment that match a filter, and their listing order.

A field's column has the rows of each distinct value, sorted where the values have an order. So an
equality is a binary search, a range is a slice, and `and`, `or` and `not` are operations on roaring
bitmaps (Lemire et al., Roaring Bitmaps: Implementation of an Optimized Software Library, 2018).
Conditions that no column can answer are tested on the rows that the rest of the filter leaves, so
the result always equals that of `core.domain.filters.compile_filter`.
"""

from core.indexing.attributes.evaluation import OF_DOCUMENTS
from core.indexing.attributes.index import AttributeIndex

__all__ = ["OF_DOCUMENTS", "AttributeIndex"]
