"""How large a body may be; one that is larger is not read to its end."""

from fastapi import status
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import path_of, problem


class BodyLimit:
    """Refuses by `Content-Length` at once, and what comes in chunks as soon as it is too much."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._detail = f"A body has at most {max_bytes} bytes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _declared_bytes(scope) > self._max_bytes:
            await self._refuse(scope, receive, send)
        else:
            await self._app(scope, self._counting(receive), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The rest of the body would be taken for the next request on this connection.
        response = problem(
            status.HTTP_413_CONTENT_TOO_LARGE,
            self._detail,
            instance=path_of(scope),
            headers={"Connection": "close"},
        )
        await response(scope, receive, send)

    def _counting(self, receive: Receive) -> Receive:
        received_bytes = 0

        async def counted() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > self._max_bytes:
                raise HTTPException(
                    status.HTTP_413_CONTENT_TOO_LARGE, self._detail, {"Connection": "close"}
                )
            return message

        return counted


def _declared_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
