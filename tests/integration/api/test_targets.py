"""Hosts of requests over a socket: absolute targets, missing and repeated headers."""

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tests.integration.api.sockets import Served, all_of, serve_app, status_of


@pytest.fixture
def running(settings: Settings) -> Iterator[Served]:
    with serve_app(settings) as server:
        yield server


def answer_to(running: Served, line: str, *headers: str) -> bytes:
    with running.connect() as connection:
        head = "\r\n".join([f"{line} HTTP/1.1", *headers, "Connection: close"])
        connection.sendall(f"{head}\r\n\r\n".encode())
        return all_of(connection)


def test_each_host_of_a_request_is_judged(running: Served) -> None:
    own, foreign = "Host: localhost:1", "Host: evil.example"
    for line, headers, status in [
        ("GET /libraries", [own], 200),
        ("GET /libraries", [foreign], 403),
        ("GET /libraries", [], 400),
        ("GET /libraries", [own, own], 400),
        ("GET /livez", [foreign], 200),
        ("GET http://localhost/libraries?limit=1", [own], 200),
        ("GET HTTP://127.0.0.1:9/libraries", [own], 200),
        ("GET http://localhost/libraries", [foreign], 403),
        ("GET http://evil.example/libraries", [own], 403),
        ("GET https://evil.example:443", [own], 403),
        ("GET http://localhost@evil.example/libraries", [own], 400),
        ("GET http:///libraries", [own], 400),
        ("GET http://localhost", [own], 200),
        ("GET //evil.example/libraries", [own], 404),
        ("POST http://evil.example/checkpoint", [own, "Content-Length: 0"], 403),
    ]:
        assert status_of(answer_to(running, line, *headers)) == status, (line, headers)


def test_there_are_no_web_sockets(running: Served) -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    answer = answer_to(running, "GET /libraries", "Host: evil.example", *upgrade, key)
    assert status_of(answer) == 403
