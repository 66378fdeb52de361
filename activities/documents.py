"""Parsing of a file's content into a title and the pieces that become chunks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.documents.model import MAX_TITLE_CHARS, Piece
from core.documents.parsing.registry import TEXT_PARSERS, parse_text
from core.documents.splitting import split

_TYPES: Mapping[str, str] = {
    ".htm": "text/html",
    ".html": "text/html",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mdx": "text/mdx",
}


class UnusableFile(Exception):
    """A file without usable text; the message says why."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    title: str
    pieces: Sequence[Piece]


def parse(
    content: bytes, source: str, *, media_type: str | None = None, title: str | None = None
) -> ParsedFile:
    """Parse a file; `title` takes precedence over the file's own, and that over its name.

    Where no parser has the media type, the name's suffix decides: clients send
    `application/octet-stream` for what they do not know.

    Raises:
        UnusableFile: the content is not text.
    """
    name = PurePosixPath(source)
    declared = (media_type or "").partition(";")[0].strip().lower()
    known = declared if declared in TEXT_PARSERS else _TYPES.get(name.suffix.lower())
    parsed = parse_text(_decode(content), known)
    title = (title or parsed.title or name.name or source)[:MAX_TITLE_CHARS]
    return ParsedFile(title, split(parsed, title=title))


def _decode(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"byte 0x{content[error.start]:02X} at offset {error.start}"
        raise UnusableFile(f"The file is not UTF-8 text ({where}).") from None
    if "\0" in text:
        raise UnusableFile("The file has NUL characters, so it is not text.")
    return text
