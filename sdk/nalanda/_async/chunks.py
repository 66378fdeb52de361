"""`client.chunks`."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Literal

from pydantic import BaseModel

from nalanda._async.transport import Transport
from nalanda._errors import InvalidValue
from nalanda._models.entities import Chunk, Place
from nalanda._options import ChunkOptions, Filter, Json, given_options, pack_embeddings
from nalanda._requests import (
    Request,
    at_least,
    create_request,
    list_request,
    path_of,
    query_of,
    write_request,
)
from nalanda._vectors import Vector

Included = Sequence[Literal["embedding"]]


class Added(BaseModel):
    items: list[Chunk]


class Deleted(BaseModel):
    deleted: int


class Chunks:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def add(
        self, library: str, document_id: str, chunks: Iterable[ChunkOptions]
    ) -> Sequence[Chunk]:
        """Add at most 1,000 chunks, all or none, after the document's existing ones."""
        path = path_of("libraries", library, "documents", document_id, "chunks")
        request = create_request(path, given_options({"chunks": chunks}))
        return (await self._transport.fetch(Added, request)).items

    async def get(
        self,
        library: str,
        chunk_id: str,
        *,
        include: Included = (),
        min_position: int | None = None,
    ) -> Chunk:
        path = path_of("libraries", library, "chunks", chunk_id)
        params = query_of(include=include or None)
        request = Request("GET", path, params, headers=at_least(min_position))
        return await self._transport.fetch(Chunk, request)

    async def put(
        self,
        library: str,
        chunk_id: str,
        *,
        document_id: str,
        text: str,
        embedding: Vector | None = None,
        metadata: Json | None = None,
        place: Place | Json | None = None,
        if_match: int | str | None = None,
    ) -> Chunk:
        """Create or replace the chunk with this id; the server embeds one without an embedding."""
        chunk = {"document_id": document_id, "text": text, "metadata": metadata, "place": place}
        path = path_of("libraries", library, "chunks", chunk_id)
        body = given_options({**chunk, "embedding": embedding})
        request = write_request("PUT", path, body, if_match=if_match)
        return await self._transport.fetch(Chunk, request)

    async def update(
        self, library: str, chunk_id: str, patch: Json, *, if_match: int | str | None = None
    ) -> Chunk:
        """Apply a JSON merge patch.

        Without an embedding, a chunk with a new text, title or heading is embedded again.
        """
        path = path_of("libraries", library, "chunks", chunk_id)
        request = write_request("PATCH", path, pack_embeddings(patch), if_match=if_match)
        return await self._transport.fetch(Chunk, request)

    async def delete(
        self, library: str, chunk_id: str, *, if_match: int | str | None = None
    ) -> None:
        path = path_of("libraries", library, "chunks", chunk_id)
        await self._transport.send(write_request("DELETE", path, if_match=if_match))

    async def delete_many(
        self, library: str, *, ids: Sequence[str] | None = None, filter: Filter | None = None
    ) -> int:
        """Delete the chunks with these ids or those that match; return their number."""
        path = path_of("libraries", library, "chunks", "delete")
        request = create_request(path, given_options({"ids": ids, "filter": filter}))
        return (await self._transport.fetch(Deleted, request)).deleted

    def list(
        self,
        library: str,
        *,
        document_id: str | None = None,
        filter: Filter | None = None,
        order_by: str | None = None,
        include: Included = (),
        min_position: int | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[Chunk]:
        """List a library's chunks, or one document's in order of `ordinal`.

        `order_by` is a field, or `-field` for descending order. `order_by` and `filter` apply to a
        whole library only. A filter may be as long as a body.

        Raises:
            InvalidValue: a filter or an order for one document's chunks.
        """
        headers, shown = at_least(min_position), include or None
        if document_id is None:
            path = path_of("libraries", library, "chunks")
            params = {"filter": filter, "order_by": order_by, "include": shown}
            request = list_request(path, headers, **params, limit=page_size)
            return self._transport.pages(Chunk, request)
        for name, value in {"filter": filter, "order_by": order_by}.items():
            if value is not None:
                detail = "is for a whole library; without document_id, filter by chunk.document_id."
                raise InvalidValue((name,), detail)
        path = path_of("libraries", library, "documents", document_id, "chunks")
        params = query_of(include=shown, limit=page_size)
        return self._transport.pages(Chunk, Request("GET", path, params, headers=headers))
