"""`Idempotency-Key`: a repeated write gets the response of the first one.

The write's own transaction stores the response, so neither ever exists without the other. A failed
call stores nothing, so a client may retry with the same key.
"""

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request, Response

from api.http.bodies.json import JsonBody, PatchBody
from core.bootstrap import Core
from core.domain.errors import Invalid, NalandaError
from core.ports.store import Replay, UnitOfWork
from core.services.positioned import BeforeCommit, Positioned

REPLAYED = "Idempotent-Replayed"

LOOK_BYTES = 16 * 1024
"""Size of a body from which a look at the stored keys costs little next to the write."""

T = TypeVar("T")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="The server executes the same request with the same key once within a day.",
    ),
]


def fingerprint(request: Request, body: bytes) -> str:
    """Return a digest of method, path and body; two requests are the same if theirs are equal."""
    call = f"{request.method} {request.url.path}\n".encode()
    return hashlib.sha256(call + body).hexdigest()


def start_headers(url: str, *, again: bool) -> dict[str, str]:
    """Return the headers of a start's response; `again`: an earlier request with the same key made
    the start."""
    return {"Location": url} | ({REPLAYED: "true"} if again else {})


class IdempotentRequest:
    """A write with its body, which is empty for a DELETE, and an optional idempotency key."""

    def __init__(self, core: Core, key: str | None, request: Request, body: bytes) -> None:
        self.core, self.body = core, body
        self.key = key
        self._request = request

    @classmethod
    def of(cls, request: Request, key: str | None, body: bytes = b"") -> "IdempotentRequest":
        core: Core = request.app.state.core
        return cls(core, key, request, body)

    @cached_property
    def _fingerprint(self) -> str:
        """Return the fingerprint.

        The thread that handles the request computes the fingerprint, and only for a request with a
        key: a body may have megabytes.
        """
        return fingerprint(self._request, self.body)

    @property
    def call(self) -> str | None:
        """Return a name of the key and the request; `None` without a key."""
        return f"{self.key} {self._fingerprint}" if self.key else None

    def respond(
        self,
        write: Callable[[BeforeCommit[T] | None], Positioned[T]],
        render: Callable[[Positioned[T]], Response],
    ) -> Response:
        """Write and render, or replay the stored response.

        A repetition runs into the stored key, or into the effects of the first request, and is
        undone. So a small first request, which nearly all are, needs no look at the keys. A large
        one looks, because its repetition would embed many texts in vain.

        Raises:
            Invalid: another request has used the key.
        """
        if self.key is None:
            return render(write(None))
        key = self.key
        if len(self.body) > LOOK_BYTES and (stored := self._stored_response(key)):
            return stored
        responses: list[Response] = []

        def store_response(work: UnitOfWork, written: Positioned[T]) -> None:
            response = render(written)
            work.replays.put(key, self._replay(response))
            responses.append(response)

        try:
            write(store_response)
            return responses[-1]
        except NalandaError:
            if stored := self._stored_response(key):
                return stored
            raise

    def _stored_response(self, key: str) -> Response | None:
        with self.core.store.read() as snapshot:
            replay = snapshot.replays.get(key)
        if replay is None:
            return None
        if replay.fingerprint != self._fingerprint:
            raise Invalid.at(
                "/Idempotency-Key", "This key was used for another request; use a new key."
            )
        return Response(replay.body, replay.status, {**replay.headers, REPLAYED: "true"})

    def _replay(self, response: Response) -> Replay:
        headers = dict(response.headers)
        headers.pop("content-length", None)
        return Replay(self._fingerprint, response.status_code, headers, bytes(response.body))


async def _of_json(
    request: Request, body: JsonBody, key: IdempotencyKey = None
) -> IdempotentRequest:
    return IdempotentRequest.of(request, key, body)


async def _of_patch(
    request: Request, body: PatchBody, key: IdempotencyKey = None
) -> IdempotentRequest:
    return IdempotentRequest.of(request, key, body)


async def _of_delete(request: Request, key: IdempotencyKey = None) -> IdempotentRequest:
    return IdempotentRequest.of(request, key)


IdempotentRequestOf = Annotated[IdempotentRequest, Depends(_of_json)]
IdempotentPatch = Annotated[IdempotentRequest, Depends(_of_patch)]
IdempotentDelete = Annotated[IdempotentRequest, Depends(_of_delete)]
