"""Routes of what a browser shows: the page at `/`, and the reference of the API at `/docs`.

No page asks another host for anything, and each may load and call this server alone.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import Response
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

WEB = Path(__file__).parents[2] / "web"
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " style-src 'self'{styles}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'{types}"
)
_PAGE_POLICY = _POLICY.format(styles="", types="; require-trusted-types-for 'script'")
_REFERENCE_POLICY = _POLICY.format(styles=" 'unsafe-inline'", types="")
"""Swagger UI sets styles and markup as it runs."""

_HEADERS = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Assets(StaticFiles):
    """The files of a folder, which a browser asks for again by their ETag."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(_HEADERS)
        return response


def _swagger() -> Path:
    """Return the folder of Swagger UI, of which the package has a copy."""
    spec = find_spec("fastapi_offline")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "static"


def _page(name: str, policy: str) -> Response:
    return FileResponse(WEB / name, headers={**_HEADERS, "Content-Security-Policy": policy})


async def _index(_: Request) -> Response:
    return _page("index.html", _PAGE_POLICY)


async def _reference(_: Request) -> Response:
    return _page("reference.html", _REFERENCE_POLICY)


class _Router:  # like the routers of the other modules
    routes: tuple[BaseRoute, ...] = (
        Route("/", _index),
        Route("/docs", _reference),
        Mount("/web/swagger", Assets(directory=_swagger())),
        Mount("/web", Assets(directory=WEB)),
    )


router = _Router()
