"""Routers: operation ids are function names, and handlers wait for the requested position."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute

from api.http.dependencies import wait_for_position


def routes_of(tag: str, prefix: str = "") -> APIRouter:
    """Return a router for resources whose responses carry a position."""
    return _router(tag, prefix, [Depends(wait_for_position)])


def plain_routes_of(tag: str, prefix: str = "") -> APIRouter:
    """Return a router for responses without a position, or for handlers that wait for one
    themselves.
    """
    return _router(tag, prefix, [])


def _router(tag: str, prefix: str, dependencies: Sequence[Dependency]) -> APIRouter:
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=dependencies,
        generate_unique_id_function=_operation_id,
    )


def _operation_id(route: APIRoute) -> str:
    return route.name
