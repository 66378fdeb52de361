"""Pools of the best so far: int64 keys in ascending order, `distance << 32 | what it is of`.

One array that is searched by bisection and moved in one piece is faster, at the sizes of a
search, than the two heaps of the textbook.
"""

from core.indexing.kernels.jit import kernel
from core.indexing.kernels.memory import load_i64, move_i64, store_i64

WORST = 0x7FFFFFFFFFFFFFFF
"""No key is greater."""


@kernel
def insert(pool: int, count: int, limit: int, key: int) -> int:
    """Puts `key` in its place and drops the last of `limit`; where it was put.

    The key is less than the last one, or there is room: `count < limit`.
    """
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if load_i64(pool, middle) < key:
            low = middle + 1
        else:
            high = middle
    kept = min(count, limit - 1)
    move_i64(pool + (low + 1) * 8, pool + low * 8, kept - low)
    store_i64(pool, low, key)
    return low


@kernel
def last(pool: int, count: int, limit: int) -> int:
    """What a key has to be less than to get in."""
    return load_i64(pool, count - 1) if count >= limit else WORST
