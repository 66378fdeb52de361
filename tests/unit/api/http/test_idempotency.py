"""Looks at the stored keys before a write."""

from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from fastapi import Request, Response

from api.http.idempotency import LOOK_BYTES, IdempotentRequest
from core.ports.store import Replay
from core.services.positioned import Positioned
from tests.fakes import FakeStore


def request_of(body: bytes) -> IdempotentRequest:
    """Return a request that was executed before."""
    store = FakeStore()
    core: Any = SimpleNamespace(store=store)
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": []})
    once = IdempotentRequest(core, "k", request, body)
    assert once.call is not None
    with store.write() as unit:
        unit.replays.put("k", Replay(once.call.removeprefix("k "), 201, {}, b"first"))
        unit.commit()
    return once


def render(_: Positioned[None]) -> Response:
    return Response(b"second")


class Embedded(Exception):
    pass


def write(_: object) -> NoReturn:
    raise Embedded


def test_a_large_repetition_does_not_write() -> None:
    response = request_of(b"x" * (LOOK_BYTES + 1)).respond(write, render)
    assert (response.status_code, response.body) == (201, b"first")
    assert response.headers["Idempotent-Replayed"] == "true"


def test_a_small_request_writes_without_a_look() -> None:
    with pytest.raises(Embedded):
        request_of(b"x").respond(write, render)
