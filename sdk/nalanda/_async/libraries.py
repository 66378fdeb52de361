"""`client.libraries`."""

from collections.abc import AsyncIterator
from typing import Unpack

from nalanda._async.transport import Transport
from nalanda._models import Library
from nalanda._options import Json, LibraryOptions, given_options, pack_embeddings
from nalanda._requests import Request, create_request, path_of, query_of, write_request


class Libraries:
    """Methods of libraries; `library` is an id or a name."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, name: str, **options: Unpack[LibraryOptions]) -> Library:
        """Create a library.

        Raises:
            ConflictError: the name is taken.
        """
        body = given_options({"name": name, **options})
        return await self._transport.fetch(Library, create_request("/libraries", body))

    async def get(self, library: str) -> Library:
        return await self._transport.fetch(Library, Request("GET", path_of("libraries", library)))

    async def replace(
        self,
        library_id: str,
        name: str,
        *,
        if_match: int | str | None = None,
        **options: Unpack[LibraryOptions],
    ) -> Library:
        """Create the library with this id, or replace its settings; its contents stay."""
        body = given_options({"name": name, **options})
        request = write_request("PUT", path_of("libraries", library_id), body, if_match=if_match)
        return await self._transport.fetch(Library, request)

    async def update(
        self, library: str, patch: Json, *, if_match: int | str | None = None
    ) -> Library:
        """Apply a JSON merge patch, which sets the fields that it names and removes those with
        `None`.
        """
        path = path_of("libraries", library)
        request = write_request("PATCH", path, pack_embeddings(patch), if_match=if_match)
        return await self._transport.fetch(Library, request)

    async def delete(self, library: str, *, if_match: int | str | None = None) -> None:
        """Delete the library with all of its documents and chunks."""
        path = path_of("libraries", library)
        await self._transport.send(write_request("DELETE", path, if_match=if_match))

    def list(self, name: str | None = None, *, page_size: int = 100) -> AsyncIterator[Library]:
        """List all libraries, or the one with this name."""
        params = query_of(name=name, limit=page_size)
        return self._transport.pages(Library, Request("GET", "/libraries", params))
