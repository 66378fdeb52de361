"""Wire models of listings."""

from api.wire.base import Answer
from api.wire.chunks import ChunkAnswer
from api.wire.documents import DocumentAnswer
from api.wire.libraries import LibraryAnswer


class Page(Answer):
    """A page of a listing; `next_cursor` is null on the last page."""

    next_cursor: str | None


class LibraryPage(Page):
    items: list[LibraryAnswer]


class DocumentPage(Page):
    items: list[DocumentAnswer]


class ChunkPage(Page):
    items: list[ChunkAnswer]
