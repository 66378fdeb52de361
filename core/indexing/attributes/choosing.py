"""The choice of metadata fields to index at build time: those with short, frequent values."""

from collections import Counter
from collections.abc import Sequence

from core.domain.document import Chunk
from core.domain.filters.fields import Field, Scope

_SAMPLE = 256
_MAX_FIELDS = 16
_AT_LEAST = 1 / 20
_LONG = 64


def fields_worth_indexing(chunks: Sequence[Chunk]) -> list[Field]:
    """Return the keys that at least one in twenty sampled chunks has, most frequent first.

    Objects, and long strings, which rarely repeat, are indexed when a filter first uses them.
    """
    sample = chunks[:: -(-len(chunks) // _SAMPLE) or 1]
    lengths: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for chunk in sample:
        for key, value in chunk.metadata.items():
            if not isinstance(value, dict):
                counts[key] += 1
                lengths[key] = lengths.get(key, 0) + (len(value) if isinstance(value, str) else 0)
    return [
        Field(Scope.CHUNK_METADATA, key)
        for key, count in counts.most_common(_MAX_FIELDS)
        if count >= _AT_LEAST * len(sample) and lengths[key] <= _LONG * count
    ]
