"""Escapes U+0000 in texts, which PostgreSQL's texts can't hold.

U+0000 is stored as U+0001 U+0001, and U+0001 as U+0001 U+0002. This loses nothing and keeps the
order by code points.
"""

from typing import TYPE_CHECKING

from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.pq import Format

if TYPE_CHECKING:
    from psycopg.abc import Buffer


def escape(text: str) -> str:
    if "\x00" in text or "\x01" in text:
        return text.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01")
    return text


def unescape(text: str) -> str:
    if "\x01" in text:
        return text.replace("\x01\x01", "\x00").replace("\x01\x02", "\x01")
    return text


class _TextDumper(Dumper):
    """A dumper of texts whose type the server infers from the statement."""

    def dump(self, obj: str) -> "Buffer":
        return escape(obj).encode()


class _BinaryTextDumper(_TextDumper):
    format = Format.BINARY


class _TextLoader(Loader):
    def load(self, data: "Buffer") -> str:
        return unescape(str(data, "utf-8"))


class _BinaryTextLoader(_TextLoader):
    format = Format.BINARY


def register(adapters: AdaptersMap) -> None:
    _BinaryTextDumper.oid = adapters.types["text"].oid
    adapters.register_dumper(str, _BinaryTextDumper)
    adapters.register_dumper(str, _TextDumper)  # the last one is what `%s` takes
    adapters.register_loader("text", _TextLoader)
    adapters.register_loader("text", _BinaryTextLoader)
