"""An app behind a real socket, read and written byte by byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
from fastapi import FastAPI

from api.main import create_app
from api.server.http_server import server
from core.settings import Settings
from tests.waiting import until

LONG_S = 30.0


class Served:
    def __init__(self, app: FastAPI, port: int) -> None:
        self.app = app
        self.url = f"http://127.0.0.1:{port}"
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LONG_S)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=LONG_S, trust_env=False)


@contextmanager
def serve_app(settings: Settings) -> Iterator[Served]:
    """Serve the app on a thread of its own."""
    app = create_app(settings)
    running = server(app, settings)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: running.started)
            yield Served(app, listener.getsockname()[1])
        finally:
            running.should_exit = True
            thread.join(LONG_S)


def all_of(connection: socket.socket) -> bytes:
    """Read until the server closes the connection, possibly by a reset."""
    received = b""
    with suppress(ConnectionResetError):
        while more := connection.recv(65_536):
            received += more
    return received


def post(body: bytes, *, length: int | None = None, path: str = "/libraries") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    ).encode() + body


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])
