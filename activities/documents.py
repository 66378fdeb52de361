"""Parsing of a file's content into a title and the pieces that become chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from core.documents.isolation import shared_pool
from core.documents.model import MAX_TITLE_CHARS, Piece
from core.documents.splitting import split


@dataclass(frozen=True, slots=True)
class ParsedFile:
    title: str
    pieces: Sequence[Piece]


def parse(
    content: bytes, source: str, *, media_type: str | None = None, title: str | None = None
) -> ParsedFile:
    """Parse a file in a process; `title` takes precedence over the file's, and that over its name.

    Raises:
        UnusableFile: the content can't be read within the bounds on time and memory.
    """
    parsed = shared_pool().parse(content, source, media_type)
    title = (title or parsed.title or _name(source) or source)[:MAX_TITLE_CHARS]
    return ParsedFile(title, split(parsed, title=title))


def _name(source: str) -> str:
    """Return the name of the file that a source, a path or a URI, leads to."""
    path = unquote(urlsplit(source).path) if "://" in source else source
    return PurePosixPath(path).name
