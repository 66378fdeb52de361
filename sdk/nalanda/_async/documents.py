"""`client.documents`."""

from collections.abc import AsyncIterator
from typing import Unpack

from nalanda._async.transport import Transport
from nalanda._models import Document
from nalanda._options import DocumentOptions, Json, given_options, pack_embeddings
from nalanda._requests import Request, at_least, create_request, path_of, query_of, write_request


class Documents:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, library: str, **document: Unpack[DocumentOptions]) -> Document:
        """Create a document with its chunks, all or none: `chunks`, or a `text` that the server
        splits.
        """
        path = path_of("libraries", library, "documents")
        return await self._transport.fetch(Document, create_request(path, given_options(document)))

    async def get(
        self, library: str, document_id: str, *, min_position: int | None = None
    ) -> Document:
        path = path_of("libraries", library, "documents", document_id)
        request = Request("GET", path, headers=at_least(min_position))
        return await self._transport.fetch(Document, request)

    async def replace(
        self,
        library: str,
        document_id: str,
        *,
        if_match: int | str | None = None,
        **document: Unpack[DocumentOptions],
    ) -> Document:
        """Create or replace the document with this id; without text and chunks, its chunks stay."""
        path = path_of("libraries", library, "documents", document_id)
        request = write_request("PUT", path, given_options(document), if_match=if_match)
        return await self._transport.fetch(Document, request)

    async def update(
        self, library: str, document_id: str, patch: Json, *, if_match: int | str | None = None
    ) -> Document:
        """Apply a JSON merge patch, which sets the fields that it names and removes those with
        `None`.
        """
        path = path_of("libraries", library, "documents", document_id)
        request = write_request("PATCH", path, pack_embeddings(patch), if_match=if_match)
        return await self._transport.fetch(Document, request)

    async def delete(
        self, library: str, document_id: str, *, if_match: int | str | None = None
    ) -> None:
        """Delete the document with its chunks."""
        path = path_of("libraries", library, "documents", document_id)
        await self._transport.send(write_request("DELETE", path, if_match=if_match))

    def list(self, library: str, *, page_size: int = 100) -> AsyncIterator[Document]:
        path = path_of("libraries", library, "documents")
        request = Request("GET", path, query_of(limit=page_size))
        return self._transport.pages(Document, request)
