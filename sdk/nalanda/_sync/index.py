# Written by sdk/unasync.py from _async/index.py: change that one, then `make generate`.
"""`client.index`."""

from typing import Any

from nalanda._models import Index, IndexKind
from nalanda._requests import Request, path_of
from nalanda._sync.transport import Transport


class Indexes:
    """Methods of a library's index."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, library: str) -> Index:
        path = path_of("libraries", library, "index")
        return self._transport.fetch(Index, Request("GET", path))

    def configure(self, library: str, kind: IndexKind, **parameters: Any) -> Index:
        """Build another kind of index, or with other parameters; searches use the old one
        meanwhile.
        """
        path = path_of("libraries", library, "index")
        body = {"kind": kind, **parameters}
        return self._transport.fetch(Index, Request("PUT", path, body=body))
