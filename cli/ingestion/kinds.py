"""The supported kinds of files: their media types, by which the server reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from cli.ingestion.decoding import decode, decode_html

_PLAIN = "text/plain"
_HTML = "text/html"
_ASCIIDOC = "text/asciidoc"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_MEDIA_TYPES: Mapping[str, str] = {
    ".adoc": _ASCIIDOC,
    ".asciidoc": _ASCIIDOC,
    ".csv": "text/csv",
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".htm": _HTML,
    ".html": _HTML,
    ".ipynb": "application/x-ipynb+json",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mdx": "text/markdown",
    ".pdf": "application/pdf",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".rst": "text/x-rst",
    ".tsv": "text/tab-separated-values",
    ".txt": _PLAIN,
}
_BINARY = {_MEDIA_TYPES[suffix] for suffix in (".docx", ".pdf", ".pptx")}
SUFFIXES = tuple(_MEDIA_TYPES)


@dataclass(frozen=True, slots=True)
class Content:
    """A file's text and what it is; `binary` is the content of a file that is not text."""

    media_type: str
    text: str
    binary: bytes | None = None


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
    if media_type in _BINARY:
        return Content(media_type, "", content)
    return Content(media_type, (decode_html if media_type == _HTML else decode)(content))
