"""The heads of searches that have passed all checks, so that equal ones need not be checked again.

What the middleware checks of a search apart from its body (key, host, origin, media type) depends
on its target and headers alone. A client sends the same ones with each search.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from api.searches.ordinary import OrdinarySearch

MAX_HEADS = 1_024
MAX_HEAD_BYTES = 4_096

Header: TypeAlias = tuple[bytes, bytes]

_LENGTH = b"content-length"
_OF_MESSAGE = frozenset({b"expect", b"te", b"trailer", b"transfer-encoding", b"upgrade"})
"""Headers of a message that is not sent, or not answered, in the usual way."""
_INSTANCE = b"nalanda-instance"
"""The header of an instance, which may become another one while a server runs."""


class PassedSearches:
    """The searches of an app whose heads have passed; `count` counts one and its seconds."""

    def __init__(self, count: Callable[[float], None]) -> None:
        self.count = count
        self._searches: dict[tuple[Header, ...], OrdinarySearch] = {}

    def add(self, path: bytes, headers: Iterable[Header], search: OrdinarySearch) -> None:
        """Add a search that has been answered with 200 after all checks."""
        head = _head(path, headers)
        names = {name for name, _ in head}
        if not names.isdisjoint(_OF_MESSAGE) or _INSTANCE in names:
            return
        if sum(len(name) + len(value) for name, value in head) > MAX_HEAD_BYTES:
            return
        if len(self._searches) >= MAX_HEADS:
            self._searches.clear()
        self._searches[head] = search

    def find(self, path: bytes, headers: Iterable[Header]) -> OrdinarySearch | None:
        """Return the search that had an equal head, apart from the length of its body."""
        return self._searches.get(_head(path, headers))


def _head(path: bytes, headers: Iterable[Header]) -> tuple[Header, ...]:
    return ((b"", path), *[header for header in headers if header[0] != _LENGTH])
