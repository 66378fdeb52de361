"""Wire models of listings."""

from api.wire.base import ResponseModel
from api.wire.chunks import ChunkResponse
from api.wire.documents import DocumentResponse
from api.wire.libraries import LibraryResponse


class Page(ResponseModel):
    """A page of a listing; `next_cursor` is null on the last page."""

    next_cursor: str | None


class LibraryPage(Page):
    items: list[LibraryResponse]


class DocumentPage(Page):
    items: list[DocumentResponse]


class ChunkPage(Page):
    items: list[ChunkResponse]
