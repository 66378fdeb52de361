"""The parsers of texts by media type."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from core.documents.model import MAX_TITLE_CHARS, ParsedDocument
from core.documents.parsing.html import parse_html
from core.documents.parsing.markdown import parse_markdown
from core.documents.verbatim import parse_verbatim

ParseText = Callable[[str], ParsedDocument]

TEXT_PARSERS: Mapping[str, ParseText] = {
    "application/xhtml+xml": parse_html,
    "text/html": parse_html,
    "text/markdown": parse_markdown,
    "text/mdx": parse_markdown,
    "text/plain": parse_verbatim,
    "text/x-markdown": parse_markdown,
}
"""Parsers by media type, without parameters and in lower case."""


class UnknownMediaType(ValueError):
    """A media type without a parser; the message names those that have one."""

    def __init__(self, media_type: str, known: Mapping[str, object]) -> None:
        super().__init__(f"There is no parser for {media_type!r}, but for {', '.join(known)}.")


def parse_text(text: str, media_type: str | None = None) -> ParsedDocument:
    """Return a text's title and blocks; without a media type the blocks keep its characters.

    Raises:
        UnknownMediaType: there is no parser for the media type.
    """
    known = (media_type or "text/plain").partition(";")[0].strip().lower()
    if (parse := TEXT_PARSERS.get(known)) is None:
        raise UnknownMediaType(known[:100], TEXT_PARSERS)
    document = parse(text)
    return replace(document, title=(document.title or "")[:MAX_TITLE_CHARS].strip() or None)
