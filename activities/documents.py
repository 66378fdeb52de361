"""Parsing of a file's content into a title and the pieces that become chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

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
    title = (title or parsed.title or PurePosixPath(source).name or source)[:MAX_TITLE_CHARS]
    return ParsedFile(title, split(parsed, title=title))
