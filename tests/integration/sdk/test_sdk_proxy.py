"""The environment's proxy is not used for this machine's own server."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from nalanda import AsyncNalanda, Nalanda, PermissionDeniedError, ProxyFailed


class Handler(BaseHTTPRequestHandler):
    """The API, or a proxy that refuses other requests."""

    def do_GET(self) -> None:
        refused = "refused" in self.path
        body = b"<h1>Not from here</h1>" if refused else b'{"version": "1"}'
        self.send_response(403 if refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.send_error(403)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Yield a server's port; the environment's proxy is a port without a listener."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]"])
def test_this_machine_is_reached_directly(host: str, port: int) -> None:
    with Nalanda(f"http://{host}:{port}", max_retries=0) as client:
        assert client.version().version == "1"


def test_a_proxy_that_refuses_the_connection_is_named(port: int) -> None:
    with (
        Nalanda(f"http://example.invalid:{port}", max_retries=0) as client,
        pytest.raises(
            ProxyFailed, match=r"through the proxy http://127\.0\.0\.1:9 of HTTP_PROXY:.*refused"
        ),
    ):
        client.version()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_without_an_address_is_named(
    scheme: str, monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", "http://user:secret@proxy.invalid:3128")
    with (
        Nalanda(f"{scheme}://example.invalid", max_retries=0) as client,
        pytest.raises(ProxyFailed, match=r"http://proxy\.invalid:3128 of HTTPS?_PROXY") as raised,
    ):
        client.version()
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_proxy_that_refuses_to_pass_a_call_on_is_named(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with (
        Nalanda("https://example.invalid", max_retries=0) as client,
        pytest.raises(ProxyFailed, match=f"through the proxy {proxy} of HTTPS_PROXY: 403"),
    ):
        client.version()
    with (
        Nalanda("http://refused.invalid", max_retries=0) as client,
        pytest.raises(PermissionDeniedError, match=f"through the proxy {proxy} of HTTP_PROXY"),
    ):
        client.version()


async def test_the_asynchronous_client_names_it_too(port: int) -> None:
    async with AsyncNalanda("http://example.invalid", max_retries=0) as client:
        with pytest.raises(ProxyFailed, match="of HTTP_PROXY"):
            await client.version()
