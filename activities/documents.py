"""Parsing of a file's content into a title and the pieces that become chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from core.documents.errors import UnusableFile
from core.documents.isolation import shared_pool
from core.documents.model import MAX_TITLE_CHARS, Piece
from core.documents.splitting import split

MAX_TEXT_CHARS = 16_000_000
"""The longest text of a file, about 5,000 pages: one write has all of its chunks, and a request of
the API at most 64 MiB."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    title: str
    pieces: Sequence[Piece]


def parse(
    content: bytes, source: str, *, media_type: str | None = None, title: str | None = None
) -> ParsedFile:
    """Parse a file in a process; `title` takes precedence over the file's, and that over its name.

    Raises:
        UnusableFile: the content can't be read within the bounds on time and memory, or its text is
            longer than `MAX_TEXT_CHARS`.
    """
    parsed = shared_pool().parse(content, source, media_type)
    chars = sum(len(block.text) for block in parsed.blocks)
    if chars > MAX_TEXT_CHARS:
        raise UnusableFile(
            f"Its text has {chars:,} characters, and a document at most {MAX_TEXT_CHARS:,}. Split "
            "the file."
        )
    title = (title or parsed.title or _name(source) or source)[:MAX_TITLE_CHARS]
    return ParsedFile(title, split(parsed, title=title))


def _name(source: str) -> str:
    """Return the name of the file that a source, a path or a URI, leads to."""
    path = unquote(urlsplit(source).path) if "://" in source else source
    return PurePosixPath(path).name
