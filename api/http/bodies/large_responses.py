"""Large responses: serialised row by row, so that other threads run, and limited in bytes."""

from collections.abc import Iterable, Mapping, Sequence

from fastapi import Response

from api.http.responses import dumps, json_response
from api.wire.base import ResponseModel
from core.domain.errors import Invalid
from core.services.search.result_size import MAX_RESULT_BYTES


class Budget:
    """The bytes left for a response; `pointer` names the parameter that a client should lower."""

    def __init__(self, pointer: str, max_bytes: int = MAX_RESULT_BYTES) -> None:
        self._pointer = pointer
        self._max_bytes = max_bytes
        self._spent_bytes = 0

    def rows(self, rows: Iterable[object]) -> bytes:
        """Serialise rows as a JSON array.

        Raises:
            Invalid: the response exceeds its limit; a single row never does.
        """
        pieces: list[bytes] = []
        for row in rows:
            piece = dumps(row)
            if self._spent_bytes and self._spent_bytes + len(piece) > self._max_bytes:
                limit = f"The response would exceed {self._max_bytes // 2**20} MiB: "
                raise Invalid.at(self._pointer, limit + "ask for fewer items or fields.")
            self._spent_bytes += len(piece)
            pieces.append(piece)
        return b"[" + b",".join(pieces) + b"]"

    def dump(self, content: Mapping[str, object], rows: str) -> bytes:
        """Serialise an object whose member `rows` is the array of rows.

        Raises:
            Invalid: the response exceeds its limit.
        """
        listed = content[rows]
        assert isinstance(listed, list)
        others = dumps({key: value for key, value in content.items() if key != rows})
        head = b'{"%s":%s' % (rows.encode(), self.rows(listed))
        return head + (b"}" if others == b"{}" else b"," + others[1:])


def page_response(
    items: Sequence[ResponseModel], next_cursor: str | None, *, position: int
) -> Response:
    """Build the response for a page of a listing.

    Raises:
        Invalid: at `/limit`, the page exceeds the limit of a response.
    """
    listed = Budget("/limit").rows(item.model_dump() for item in items)
    body = b'{"items":%s,"next_cursor":%s}' % (listed, dumps(next_cursor))
    return json_response(body, position=position)
