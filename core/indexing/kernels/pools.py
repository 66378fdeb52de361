"""Pools of the best candidates: int64 keys, ascending, `distance << 32 | item`.

At a search's pool sizes, one array with binary search and block moves is faster than the two heaps
of the textbook.
"""

from core.indexing.kernels.jit import kernel
from core.indexing.kernels.memory import load_i64, move_i64, store_i64

WORST = 0x7FFFFFFFFFFFFFFF
"""The greatest possible key."""


@kernel
def insert(pool: int, count: int, limit: int, key: int) -> int:
    """Insert `key`, drop the last of `limit` keys if the pool is full, and return the place.

    The key is less than the last one, or `count < limit`.
    """
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if load_i64(pool, middle) < key:
            low = middle + 1
        else:
            high = middle
    remaining = min(count, limit - 1)
    move_i64(pool + (low + 1) * 8, pool + low * 8, remaining - low)
    store_i64(pool, low, key)
    return low


@kernel
def last(pool: int, count: int, limit: int) -> int:
    """Return the key below which a new key enters the pool."""
    return load_i64(pool, count - 1) if count >= limit else WORST
