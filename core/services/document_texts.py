"""Makes chunks of the text of a document."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from core.documents.errors import UnusableFile
from core.documents.isolation import shared_pool
from core.documents.model import ParsedDocument
from core.documents.parsing.registry import ISOLATED, UnknownMediaType, parse_text
from core.documents.splitting import split
from core.domain.document import ChunkDraft, DocumentDraft
from core.domain.errors import Invalid


def split_text(draft: DocumentDraft) -> tuple[DocumentDraft, Sequence[ChunkDraft]]:
    """Return the draft with its title, and the chunks of its text.

    A draft with a media type and without a title has the text's, else the name in its source.

    Raises:
        Invalid: the draft has chunks and a text, or an unknown media type, or one without a text
            or for another.
    """
    if draft.text is None:
        if draft.media_type is not None:
            raise Invalid.at("/media_type", "A media type needs a text: give `text` as well.")
        return draft, ()
    if draft.chunks is not None:
        raise Invalid.at("/chunks", "Give either the text or its chunks.")
    try:
        document = _parse(draft.text, draft.media_type)
    except UnknownMediaType as error:
        raise Invalid.at("/media_type", str(error)) from error
    except UnusableFile as error:
        raise Invalid.at("/text", str(error)) from error
    title = draft.title
    if title is None and draft.media_type is not None:
        title = document.title or _name(draft.source)
    pieces = split(document, title=title)
    return replace(draft, title=title), [
        ChunkDraft(piece.text, place=piece.place) for piece in pieces
    ]


def _parse(text: str, media_type: str | None) -> ParsedDocument:
    if media_type is not None and media_type.partition(";")[0].strip().lower() in ISOLATED:
        return shared_pool().parse(text.encode(), "", media_type)
    return parse_text(text, media_type)


def _name(source: str | None) -> str | None:
    """Return the name of the file that a source, a URL or a path, leads to."""
    if source is None:
        return None
    try:
        path = unquote(urlsplit(source).path)
    except ValueError:
        path = source
    return PurePosixPath(path).name or None
