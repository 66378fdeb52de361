"""Which rows of a sealed segment match a filter, and in which order they are listed.

A field's column has the rows of each of its distinct values, the values being sorted where they
have an order. So an equality is a binary search, a range a slice, and `and`, `or` and `not` are
operations on roaring bitmaps (Lemire et al., Roaring Bitmaps: Implementation of an Optimized
Software Library, 2018). What no column answers is asked of the rows that the rest of the filter
leaves, so the result is always exactly that of `core.domain.filters.compile_filter`.
"""

from core.indexing.attributes.evaluation import OF_DOCUMENTS
from core.indexing.attributes.index import AttributeIndex

__all__ = ["OF_DOCUMENTS", "AttributeIndex"]
