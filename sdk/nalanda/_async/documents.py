"""`client.documents`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Unpack

from nalanda._async.transport import Transport
from nalanda._models.entities import DeletedDocuments, Document
from nalanda._models.maps import PagePicture
from nalanda._options import DocumentOptions, Json, given_options, pack_embeddings
from nalanda._requests import (
    Request,
    at_least,
    create_request,
    path_of,
    query_of,
    with_ingestion,
    write_request,
)

MAX_IDS = 100
"""Ids of a listing's query, whose URL a proxy may limit."""

MAX_DELETED = 1000
SCALE = "Nalanda-Scale"


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
        ingestion: str | None = None,
        **document: Unpack[DocumentOptions],
    ) -> Document:
        """Create or replace the document with this id; without text and chunks, its chunks stay.

        `ingestion`: the id of the ingestion that writes, which is refused once it is cancelled.
        """
        path = path_of("libraries", library, "documents", document_id)
        request = write_request("PUT", path, given_options(document), if_match=if_match)
        request = with_ingestion(ingestion, request)
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

    async def delete_many(
        self, library: str, versions: Mapping[str, int | None]
    ) -> DeletedDocuments:
        """Delete documents by id, each only at the given version, if there is one.

        Documents that do not exist are left out. Each 1,000 documents are one write.
        """
        path = path_of("libraries", library, "documents", "delete")
        deleted, changed = 0, list[str]()
        documents = [{"id": id_, "version": version} for id_, version in versions.items()]
        for start in range(0, len(documents), MAX_DELETED):
            body = {"documents": documents[start : start + MAX_DELETED]}
            deletion = await self._transport.fetch(DeletedDocuments, create_request(path, body))
            deleted, changed = deleted + deletion.deleted, [*changed, *deletion.changed]
        return DeletedDocuments(deleted=deleted, changed=changed)

    async def get_many(
        self, library: str, document_ids: Sequence[str], *, min_position: int | None = None
    ) -> Mapping[str, Document]:
        """Return those of the documents that exist, by id; each call asks for 100 of them."""
        path = path_of("libraries", library, "documents")
        documents: dict[str, Document] = {}
        for start in range(0, len(document_ids), MAX_IDS):
            params = query_of(id=document_ids[start : start + MAX_IDS], limit=MAX_IDS)
            request = Request("GET", path, params, headers=at_least(min_position))
            async for document in self._transport.pages(Document, request):
                documents[document.id] = document
        return documents

    async def page(self, library: str, document_id: str, page: int) -> PagePicture:
        """Return the picture of a page of a PDF, which counts from 1, as a `place` has it.

        Raises:
            NotFoundError: the server has no file of the document, or the file has no such page.
        """
        path = path_of("libraries", library, "documents", document_id, "pages", str(page))
        response = await self._transport.send(Request("GET", path))
        return PagePicture(png=response.content, scale=float(response.headers[SCALE]))

    def list(self, library: str, *, page_size: int = 100) -> AsyncIterator[Document]:
        path = path_of("libraries", library, "documents")
        request = Request("GET", path, query_of(limit=page_size))
        return self._transport.pages(Document, request)
