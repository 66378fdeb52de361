"""The supported kinds of files: their media types, by which the server reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from cli.ingestion.decoding import decode, decode_html

_PLAIN = "text/plain"
_HTML = "text/html"
_ASCIIDOC = "text/asciidoc"
_MEDIA_TYPES: Mapping[str, str] = {
    ".adoc": _ASCIIDOC,
    ".asciidoc": _ASCIIDOC,
    ".htm": _HTML,
    ".html": _HTML,
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mdx": "text/markdown",
    ".rst": "text/x-rst",
    ".txt": _PLAIN,
}
SUFFIXES = tuple(_MEDIA_TYPES)


@dataclass(frozen=True, slots=True)
class Content:
    """A file's text and what it is."""

    media_type: str
    text: str


def suffix_of(name: str) -> str:
    """Return the suffix in lower case; empty if there is none."""
    return PurePath(name).suffix.lower()


def is_known(name: str) -> bool:
    return suffix_of(name) in _MEDIA_TYPES


def extract(name: str, content: bytes) -> Content:
    """Return the text of a file; an unknown kind is plain text.

    Raises:
        UnusableFile: the content is not text.
    """
    media_type = _MEDIA_TYPES.get(suffix_of(name), _PLAIN)
    return Content(media_type, (decode_html if media_type == _HTML else decode)(content))
