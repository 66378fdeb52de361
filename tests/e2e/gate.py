"""A reverse proxy that can hold a request, to keep a real process in a given stage."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import httpx

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date"}


class Gate:
    """A proxy for `target`; `hold` delays requests for one path."""

    def __init__(self, target: str) -> None:
        self._upstream = httpx.Client(base_url=target, timeout=60, trust_env=False)
        self._held: str | None = None
        self._arrived = threading.Event()
        self._open = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def hold(self, suffix: str) -> Iterator["Gate"]:
        """Hold requests whose path ends in `suffix` until the end of the block."""
        self._arrived.clear()
        self._open.clear()
        self._held = suffix
        try:
            yield self
        finally:
            self._held = None
            self._open.set()

    def wait_for_a_request(self, timeout_s: float) -> None:
        assert self._arrived.wait(timeout_s), f"Nobody asked for …{self._held}"

    def __enter__(self) -> "Gate":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._upstream.close()

    def _wait(self, path: str) -> None:
        held = self._held
        if held is not None and path.partition("?")[0].endswith(held):
            self._arrived.set()
            self._open.wait()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                gate._wait(self.path)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
                try:
                    answer = gate._upstream.request(
                        self.command, self.path, content=body, headers=headers
                    )
                    self.reply(answer)
                except (httpx.TransportError, OSError):
                    self.close_connection = True  # like a broken connection of the target

            def reply(self, answer: httpx.Response) -> None:
                self.send_response(answer.status_code)
                for name, value in answer.headers.multi_items():
                    if name.lower() not in HOP_BY_HOP | {"content-encoding", "server"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing: the tests read no access log."""

        return Handler
