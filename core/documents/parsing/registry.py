"""The parsers of texts by media type."""

from collections.abc import Callable, Mapping

from core.documents.model import ParsedDocument
from core.documents.parsing.html import parse_html
from core.documents.parsing.markdown import parse_markdown
from core.documents.verbatim import parse_verbatim

ParseText = Callable[[str], ParsedDocument]

TEXT_PARSERS: Mapping[str, ParseText] = {
    "text/html": parse_html,
    "text/markdown": parse_markdown,
    "text/plain": parse_verbatim,
}
"""Parsers by media type, without parameters."""


def parse_text(text: str, media_type: str | None = None) -> ParsedDocument:
    """Return a text's title and blocks; without a media type the text keeps its characters.

    Raises:
        KeyError: there is no parser for the media type.
    """
    return TEXT_PARSERS[media_type or "text/plain"](text)
