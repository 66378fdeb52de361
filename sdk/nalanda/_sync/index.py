# Written by sdk/unasync.py from _async/index.py: change that one, then `make generate`.
"""`client.index`."""

from collections.abc import Sequence
from typing import Any

from nalanda._models.maps import EmbeddingMap, MapPart
from nalanda._models.search import Index, IndexKind
from nalanda._options import given_options
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

    def map(
        self,
        library: str,
        *,
        color_by: str | None = None,
        text: str | None = None,
        include: Sequence[MapPart] | None = None,
    ) -> EmbeddingMap:
        """Return the library's vectors in two dimensions, with a report of their health.

        The server draws a map in the background: until `state` is `ready`, this is the last one.
        `color_by`: a field as in a filter, whose values are returned. `text`: a query to place on
        the map.

        Raises:
            ValidationError: there is no such field, or the library has no model for the text.
        """
        path = path_of("libraries", library, "map")
        body = given_options({"color_by": color_by, "text": text, "include": include})
        return self._transport.fetch(EmbeddingMap, Request("POST", path, body=body))
