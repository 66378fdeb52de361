"""Routes, which declare the model of their body and whether they write.

The declarations are all that the rest of the API needs: the OpenAPI document lists the models
(`api/app.py`), and writes are admitted a few at a time (`api/http/admission.py`).
Operation ids are function names.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from api.http.admission import WriteLimit
from api.http.dependencies import wait_for_position
from api.http.forwarding import Writer
from api.http.leader import Leader
from api.http.openapi import body_of, event_stream, patch_of
from api.wire.base import RequestModel
from api.wire.streams import EventStream

H = TypeVar("H", bound=Callable[..., Any])


class Register(Protocol):
    """A decorator that registers a handler and returns it unchanged."""

    def __call__(self, handler: H, /) -> H: ...


class Route(APIRoute):
    """A route; `bodies` are the models of its body, `events` is its stream.

    `writes`: the route takes a slot of the app's `WriteLimit`. `of_writer`: a process that does not
    write passes its requests on to the one that does, as those of routes that write. `of_node`: a
    reader passes its requests on to the process that has the data directory; a follower does not.
    """

    bodies: tuple[type[RequestModel], ...] = ()
    events: EventStream | None = None
    writes = False
    of_writer = False
    of_node = False

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        matches = scope["method"] in (self.methods or ())
        writer: Writer | Leader | None = scope["app"].state.writer
        here = self._write if self.writes and matches else super().handle
        if writer is not None and matches and self._passes_to(writer, scope):
            await writer.respond(here, scope, receive, send)
        else:
            await here(scope, receive, send)

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit: WriteLimit = scope["app"].state.write_limit
        await limit.run(super().handle, scope, receive, send)

    def _passes_to(self, writer: Writer | Leader, scope: Scope) -> bool:
        if self.of_node:
            return isinstance(writer, Writer)
        return self.writes or self.of_writer or _has_key(scope)


class Routes:
    """The routes of a resource.

    `waits`: its handlers run once the server has the requested position. Routes whose responses
    have no position do not wait, nor do handlers that wait by themselves. `of_writer`,
    `of_node`: as for a `Route`.
    """

    def __init__(
        self,
        tag: str,
        prefix: str = "",
        *,
        waits: bool = True,
        of_writer: bool = False,
        of_node: bool = False,
    ) -> None:
        self._of_writer = of_writer
        self._of_node = of_node
        self._router = APIRouter(
            prefix=prefix,
            tags=[tag],
            dependencies=[Depends(wait_for_position)] if waits else [],
            route_class=Route,
            generate_unique_id_function=lambda route: route.name,
        )

    @property
    def routes(self) -> list[BaseRoute]:
        return self._router.routes

    def get(self, path: str, *, events: EventStream | None = None, **options: Any) -> Register:
        """Register a read; `events` if it streams them."""
        if events is not None:
            options["responses"] = {200: event_stream(events), **options["responses"]}
        return self._register("GET", path, events=events, **options)

    def post(
        self,
        path: str,
        *,
        body: type[RequestModel] | None = None,
        upload: type[RequestModel] | None = None,
        binary: str | None = None,
        writes: bool = True,
        **options: Any,
    ) -> Register:
        """Register a handler; `upload` is the model of `multipart/form-data` in place of JSON.

        `binary` describes a body of octets in its place.
        """
        if body is not None:
            options["openapi_extra"] = body_of(body, upload, binary)
        return self._register("POST", path, body=body, upload=upload, writes=writes, **options)

    def put(self, path: str, *, body: type[RequestModel], **options: Any) -> Register:
        extra = body_of(body)
        return self._register("PUT", path, body=body, writes=True, openapi_extra=extra, **options)

    def patch(
        self, path: str, *, body: type[RequestModel], example: dict[str, Any], **options: Any
    ) -> Register:
        """Register a handler of merge patches of a model."""
        extra = patch_of(body, example)
        return self._register("PATCH", path, body=body, writes=True, openapi_extra=extra, **options)

    def delete(self, path: str, **options: Any) -> Register:
        return self._register("DELETE", path, writes=True, **options)

    def _register(
        self,
        method: str,
        path: str,
        *,
        body: type[RequestModel] | None = None,
        upload: type[RequestModel] | None = None,
        events: EventStream | None = None,
        writes: bool = False,
        **options: Any,
    ) -> Register:
        def register(handler: H, /) -> H:
            self._router.add_api_route(path, handler, methods=[method], **options)
            route = self._router.routes[-1]
            assert isinstance(route, Route)
            route.bodies = tuple(model for model in (body, upload) if model is not None)
            route.events, route.writes = events, writes
            route.of_writer, route.of_node = self._of_writer, self._of_node
            return handler

        return register


def _has_key(scope: Scope) -> bool:
    """Return whether a request has an idempotency key, whose response the record keeps."""
    return any(name == b"idempotency-key" for name, _ in scope["headers"])
