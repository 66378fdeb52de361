"""`client.index`."""

from typing import Any

from nalanda._async.transport import Transport
from nalanda._models import Index, IndexKind
from nalanda._requests import Request, path_of


class Indexes:
    """Methods of a library's index."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, library: str) -> Index:
        path = path_of("libraries", library, "index")
        return await self._transport.fetch(Index, Request("GET", path))

    async def configure(self, library: str, kind: IndexKind, **parameters: Any) -> Index:
        """Build another kind of index, or with other parameters; searches use the old one
        meanwhile.
        """
        path = path_of("libraries", library, "index")
        body = {"kind": kind, **parameters}
        return await self._transport.fetch(Index, Request("PUT", path, body=body))
