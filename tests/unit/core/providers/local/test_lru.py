"""The cache of bounded memory."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from core.providers.local.lru import LruCache


@dataclass(frozen=True)
class Value:
    size_bytes: int


def test_what_was_used_least_recently_goes_first() -> None:
    cache = LruCache[str, Value](20)
    cache.put("a", Value(10))
    cache.put("b", Value(10))
    assert cache.get("a") == Value(10)
    cache.put("c", Value(10))
    assert cache.get("b") is None
    assert cache.get("a") == cache.get("c") == Value(10)


def test_a_value_can_be_replaced() -> None:
    cache = LruCache[str, Value](20)
    cache.put("a", Value(20))
    cache.put("a", Value(10))
    cache.put("b", Value(10))
    assert cache.get("a") == cache.get("b") == Value(10)


def test_a_value_beyond_the_capacity_is_not_kept() -> None:
    cache = LruCache[str, Value](20)
    cache.put("a", Value(21))
    assert cache.get("a") is None
    assert cache.size_bytes == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30))))
def test_the_size_is_of_what_is_kept_and_bounded(puts: list[tuple[int, int]]) -> None:
    cache = LruCache[int, Value](40)
    for key, size_bytes in puts:
        cache.put(key, Value(size_bytes))
        values = [cache.get(key) for key in range(6)]
        assert cache.size_bytes == sum(value.size_bytes for value in values if value) <= 40
