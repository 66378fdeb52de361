"""Scan of a large body before parsing: members, values, and where its items are.

The scan reads only the structure, in steps short enough that other threads run. The parser decides
whether the text is JSON.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.domain.errors import Invalid
from core.domain.pointers import join
from core.domain.vectors import MAX_DIMENSION

MAX_NUMBER_BYTES = 4_000
MAX_STRING_BYTES = 1_250_000
"""Limit of strings other than a chunk's text; a search's text has at most 100,000 characters."""

MAX_GAP_BYTES = 64 * 1024
"""Limit of consecutive white space, also around a number."""

MAX_KEYS = 10_000
MAX_MEMBERS = 100_000
MAX_VALUES = 100_000
"""Maximum number of values in one item, or outside of all items."""
MAX_ALL_VALUES = 1_000_000
"""Maximum number of values in a body; an embedding counts as one."""

_TEXTS = (b'"text"', b'"content_base64"')
"""Keys of whole documents, limited by the body's size alone."""
_MAX_LEVELS = 200  # the parser's own limit
_TOKEN = re.compile(rb'[\[\]{}",]')
_NO_JSON = re.compile(rb"[^\s:0-9+\-.eEtrufalsn]")
"""A byte outside of numbers, literals and white space, at which the parser stops."""
_STRING_PIECE = re.compile(rb'(?:[^"\\]{1,1000}+|\\.){1,1000}+', re.DOTALL)
_EMBEDDING_BYTES = 64 * MAX_DIMENSION


@dataclass(slots=True)
class _Container:
    is_object: bool
    members: int = 1
    key: bytes = b""

    @property
    def token(self) -> str | int:
        if not self.is_object:
            return self.members - 1
        return self.key[1:-1].decode("utf-8", "replace")


@dataclass(slots=True)
class Scan:
    """A scan; `edges` are the offsets of the items' brackets and of the commas between items."""

    body: bytes
    split: str | None
    max_items: int = MAX_MEMBERS
    has_texts: bool = True
    edges: list[int] = field(default_factory=list)
    _stack: list[_Container] = field(default_factory=list)
    _values: int = 0
    _all_values: int = 0
    _in_items: bool = False
    _wants_key: bool = False

    def run(self) -> Sequence[int]:
        """Return the edges; empty if the body has no such list.

        Raises:
            Invalid: the body exceeds a limit; the pointer names the first excess.
        """
        at = 0
        while token := _TOKEN.search(self.body, at, at + MAX_GAP_BYTES):
            if token.start() - at > MAX_NUMBER_BYTES:
                if _NO_JSON.search(self.body, at, token.start()):
                    return []
                self._check_number(at, token.start())
            at = self._take(token.start())
            if len(self._stack) > _MAX_LEVELS or at < 0:
                return []
        if len(self.body) - at > MAX_GAP_BYTES:
            if _NO_JSON.search(self.body, at, at + MAX_GAP_BYTES):
                return []
            self._check_number(at, at + MAX_GAP_BYTES)
            detail = f"Consecutive white space must have at most {MAX_GAP_BYTES} bytes."
            raise self._too_many(detail, len(self._stack))
        return [] if self._stack or self._in_items else self.edges

    def _take(self, at: int) -> int:
        """Read the token at an offset; return the offset after the token, or -1 at the end of the
        scan.
        """
        match self.body[at : at + 1]:
            case b'"':
                return self._string(at)
            case b",":
                return self._comma(at)
            case b"{":
                return self._open(at, is_object=True)
            case b"[":
                return self._open(at, is_object=False)
        return self._close(at)

    def _string(self, at: int) -> int:
        end = at + 1
        while piece := _STRING_PIECE.match(self.body, end):
            end = piece.end()
            if end - at > MAX_STRING_BYTES and not self._is_text():
                detail = f"A string other than a text must have at most {MAX_STRING_BYTES} bytes."
                raise self._too_many(detail, len(self._stack))
        if self._wants_key and self._stack:
            self._stack[-1].key = self.body[at : min(end + 1, at + 1000)]
            self._wants_key = False
        return end + 1

    def _is_text(self) -> bool:
        if not self.has_texts or not self._stack or self._wants_key:
            return False
        return self._stack[-1].key in _TEXTS

    def _check_number(self, start: int, end: int) -> None:
        if len(self.body[start:end].strip()) > MAX_NUMBER_BYTES:
            detail = f"A number must have at most {MAX_NUMBER_BYTES} digits."
            raise self._too_many(detail, len(self._stack))

    def _comma(self, at: int) -> int:
        if not self._stack:
            return -1
        top = self._stack[-1]
        top.members += 1
        self._wants_key = top.is_object
        is_item = self._in_items and len(self._stack) == 2
        if is_item:
            self.edges.append(at)
            self._values = 0
        most = self.max_items if is_item else MAX_KEYS if top.is_object else MAX_MEMBERS
        if top.members > most:
            raise self._too_many(f"This must have at most {most} members.", len(self._stack) - 1)
        self._count()
        return at + 1

    def _open(self, at: int, *, is_object: bool) -> int:
        if self._is_embedding(is_object):
            end = self.body.find(b"]", at, at + _EMBEDDING_BYTES)
            numbers = self.body[at + 1 : end] if end >= 0 else b"["
            if not (b"[" in numbers or b"{" in numbers or b'"' in numbers):
                self._check_dimension(numbers.count(b",") + 1)
                self._count()
                return end + 1
        if self._is_split(is_object):
            if self.edges:
                raise Invalid.at(f"/{self.split}", "A large body must have this key only once.")
            self._in_items, self._values = True, 0
            self.edges.append(at)
        self._stack.append(_Container(is_object))
        self._wants_key = is_object
        self._count()
        return at + 1

    def _close(self, at: int) -> int:
        if not self._stack:
            return -1
        if self._in_items and len(self._stack) == 2:
            self.edges.append(at)
            self._in_items, self._values = False, 0
        self._stack.pop()
        return at + 1

    def _is_embedding(self, is_object: bool) -> bool:
        return (
            self._in_items
            and not is_object
            and len(self._stack) == 3
            and self._stack[-1].key == b'"embedding"'
        )

    def _is_split(self, is_object: bool) -> bool:
        if is_object or self.split is None or len(self._stack) != 1:
            return False
        return self._stack[0].key == b'"%s"' % self.split.encode()

    def _check_dimension(self, count: int) -> None:
        if count > MAX_DIMENSION:
            detail = f"An embedding must have 1 to {MAX_DIMENSION} numbers, not {count}."
            raise self._too_many(detail, len(self._stack))

    def _count(self) -> None:
        self._values += 1
        self._all_values += 1
        if self._values > MAX_VALUES:
            where = 2 if self._in_items else 1
            raise self._too_many(f"This item must have at most {MAX_VALUES} values.", where)
        if self._all_values > MAX_ALL_VALUES:
            raise self._too_many(f"A body must have at most {MAX_ALL_VALUES} values.", 2)

    def _too_many(self, detail: str, levels: int) -> Invalid:
        tokens = [container.token for container in self._stack[:levels]]
        return Invalid.at(join("", *tokens), detail)
