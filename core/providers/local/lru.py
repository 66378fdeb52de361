"""A cache of bounded memory that forgets what was used least recently."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    @property
    def size_bytes(self) -> int: ...


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Sized)


class LruCache(Generic[K, V]):
    """A mapping whose values take `capacity_bytes` at most; threads may share it.

    A value larger than the capacity is not kept.
    """

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity_bytes = capacity_bytes
        self._values = OrderedDict[K, V]()
        self._lock = threading.Lock()
        self.size_bytes = 0

    def get(self, key: K) -> V | None:
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: K, value: V) -> None:
        """Keep a value, in place of those used least recently."""
        with self._lock:
            before = self._values.pop(key, None)
            self.size_bytes -= before.size_bytes if before else 0
            if value.size_bytes > self._capacity_bytes:
                return
            self._values[key] = value
            self.size_bytes += value.size_bytes
            while self.size_bytes > self._capacity_bytes:
                _, oldest = self._values.popitem(last=False)
                self.size_bytes -= oldest.size_bytes
