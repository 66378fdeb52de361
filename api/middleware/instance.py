"""Check of `Nalanda-Instance`, which refuses requests for another instance."""

from fastapi import status
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.errors import path_of, problem
from core.domain.errors import WrongInstance

HEADER = b"nalanda-instance"


class InstanceCheck:
    """Middleware that responds 421 to a request whose `Nalanda-Instance` names another instance.

    A client can then notice that another server has taken over the address.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = next((v for k, v in scope.get("headers", ()) if k == HEADER), None)
        own = scope["app"].state.core.store.instance_id if wanted is not None else ""
        if wanted is None or wanted.decode("latin-1") == own:
            await self._app(scope, receive, send)
            return
        response = problem(
            status.HTTP_421_MISDIRECTED_REQUEST,
            str(WrongInstance(wanted=wanted.decode("latin-1")[:64], own=own)),
            instance=path_of(scope),
        )
        await response(scope, receive, send)
