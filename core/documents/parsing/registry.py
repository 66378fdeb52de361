"""The parsers of texts by media type."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from core.documents.model import MAX_TITLE_CHARS, ParsedDocument
from core.documents.parsing.asciidoc import parse_asciidoc
from core.documents.parsing.delimited import parse_csv, parse_tsv
from core.documents.parsing.html.document import parse_html
from core.documents.parsing.markdown.document import parse_markdown
from core.documents.parsing.notebook import parse_notebook
from core.documents.verbatim import parse_verbatim

ParseText = Callable[[str], ParsedDocument]

TEXT_PARSERS: Mapping[str, ParseText] = {
    "application/x-ipynb+json": parse_notebook,
    "application/xhtml+xml": parse_html,
    "text/asciidoc": parse_asciidoc,
    "text/csv": parse_csv,
    "text/html": parse_html,
    "text/markdown": parse_markdown,
    "text/mdx": parse_markdown,
    "text/plain": parse_verbatim,
    "text/tab-separated-values": parse_tsv,
    "text/x-markdown": parse_markdown,
}
"""Parsers in linear time, by media type without parameters and in lower case."""

ISOLATED = ("text/prs.fallenstein.rst", "text/x-rst")
"""Media types of texts whose parser is not linear, and needs a process with bounds."""


class UnknownMediaType(ValueError):
    """A media type without a parser; the message names those that have one."""

    def __init__(self, media_type: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no parser for {media_type!r}, but for {', '.join(known)}.")


def parse_text(text: str, media_type: str | None = None) -> ParsedDocument:
    """Return a text's title and blocks; without a media type the blocks keep its characters.

    Raises:
        UnknownMediaType: there is no parser for the media type.
        UnusableFile: the text is not of the media type.
    """
    known = (media_type or "text/plain").partition(";")[0].strip().lower()
    if (parse := TEXT_PARSERS.get(known)) is None:
        raise UnknownMediaType(known[:100], sorted([*TEXT_PARSERS, *ISOLATED]))
    return with_short_title(parse(text))


def with_short_title(document: ParsedDocument) -> ParsedDocument:
    """Return the document with its title in a line, cut at the limit; `None` if it is empty."""
    words = " ".join((document.title or "").split())
    return replace(document, title=words[:MAX_TITLE_CHARS] or None)
