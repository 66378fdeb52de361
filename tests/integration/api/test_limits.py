"""Limits under load, over real sockets: slow and many clients, large bodies, waiting writes."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from api.http.admission import AT_ONCE
from api.server.connections import MAX_HEADER_BYTES
from core.settings import Settings
from tests.integration.api.calls import assert_problem
from tests.integration.api.sockets import LONG_S, Served, all_of, post, serve_app, status_of
from tests.waiting import until


@pytest.fixture
def hasty(settings: Settings) -> Iterator[Served]:
    """Serve with little patience for slow clients."""
    with serve_app(settings.model_copy(update={"slow_client_s": 0.3})) as running:
        yield running


def drip(connection: socket.socket, sent: bytes) -> bytes:
    """Send a byte now and then until the server refuses; return its response."""
    connection.settimeout(0.05)
    for byte in sent:
        try:
            connection.send(bytes([byte]))
            if received := connection.recv(65_536):
                connection.settimeout(LONG_S)
                return received + all_of(connection)
        except TimeoutError:
            continue
        except (BrokenPipeError, ConnectionResetError):
            pass
        return b""
    raise AssertionError("The server has not had enough.")


@pytest.mark.parametrize(
    "sent", [b"", b"GET /livez", b"GET /livez HTTP/1.1\r\nHost: localhost\r\n", b"\r\n"]
)
def test_who_does_not_finish_his_headers_is_let_go(hasty: Served, sent: bytes) -> None:
    with hasty.connect() as connection:
        connection.send(sent)
        assert all_of(connection) == b""


def test_headers_that_drip_are_not_waited_for(hasty: Served) -> None:
    with hasty.connect() as connection:
        assert drip(connection, b"GET /livez HTTP/1.1\r\nX: " + b"x" * 10_000) == b""


def test_after_an_answer_headers_that_drip_are_not_waited_for_either(hasty: Served) -> None:
    with hasty.connect() as connection:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status_of(connection.recv(65_536)) == 200
        drip(connection, b"\r\n" * 5_000)


def test_endless_headers_are_refused(hasty: Served) -> None:
    with hasty.connect() as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\n" + b"X: x\r\n" * (MAX_HEADER_BYTES // 6 + 9))
        assert status_of(all_of(connection)) == 400


def test_a_body_that_drips_is_not_waited_for(hasty: Served) -> None:
    with hasty.connect() as connection:
        connection.send(post(b"", length=10_000))
        answer = drip(connection, b'{"name": "' + b"x" * 10_000)
    assert status_of(answer) == 408
    assert b"application/problem+json" in answer
    assert b"connection: close" in answer.lower()


def test_a_body_that_never_comes_is_not_waited_for(hasty: Served) -> None:
    with hasty.connect() as connection:
        connection.send(post(b"", length=10_000))
        assert status_of(all_of(connection)) == 408


def test_slow_clients_block_no_others(hasty: Served) -> None:
    connections = [hasty.connect() for _ in range(100)]
    for connection in connections:
        connection.send(post(b"{", length=10_000))
    with hasty.client() as client:
        assert client.put("/libraries/l", json={"name": "l"}).status_code == 201
        assert client.get("/libraries/l").status_code == 200
    for connection in connections:
        assert status_of(all_of(connection)) == 408
        connection.close()


def test_who_takes_his_answer_too_slowly_is_let_go(hasty: Served) -> None:
    big = "x" * 900_000
    with hasty.client() as client:
        for number in range(20):
            made = client.put(
                f"/libraries/l{number}", json={"name": f"{number}", "description": big}
            )
            assert made.status_code == 201
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(LONG_S)
        connection.connect(("127.0.0.1", hasty.port))
        connection.send(b"GET /libraries HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with hasty.client() as client:
            until(lambda: 'route="/libraries",status="200"' in client.get("/metrics").text)
        # The connection is closed, although the client has read nothing and much is unsent.
        until(lambda: connections_of(hasty) == 0)


def connections_of(running: Served) -> int:
    """Return the number of connections in the kernel, on the server's side."""
    port = f":{running.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(port) and row[3] == "01" for row in rows)


def test_of_too_many_connections_the_last_is_refused(settings: Settings) -> None:
    with serve_app(settings.model_copy(update={"max_connections": 2})) as running:
        connections = [running.connect() for _ in range(2)]
        for connection in connections:
            connection.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert status_of(connection.recv(65_536)) == 200
        with running.client() as client:
            answer = client.get("/livez")
        assert_problem(answer, 503)
        assert answer.headers["Retry-After"] == "1"
        for connection in connections:
            connection.close()

        def is_served() -> bool:
            with running.client() as client:
                return client.get("/livez").status_code == 200

        until(is_served)


def test_one_client_cannot_take_all_connections(settings: Settings) -> None:
    """Linux treats all of 127.0.0.0/8 as loopback, so one machine can be several clients."""
    limits = {"max_connections": 8, "slow_client_s": LONG_S}
    with serve_app(settings.model_copy(update=limits)) as running:
        slow = [running.connect() for _ in range(6)]
        for connection in slow:
            connection.send(post(b"{", length=10_000))
        until(lambda: b"503" in answer_to_livez(running, "127.0.0.1"))
        assert status_of(answer_to_livez(running, "127.0.0.2")) == 200
        for connection in slow:
            connection.close()


def test_idle_connections_block_no_others(settings: Settings) -> None:
    limits = {"max_connections": 8, "slow_client_s": LONG_S}
    with serve_app(settings.model_copy(update=limits)) as running:
        silent = [running.connect() for _ in range(20)]
        silent[-1].send(b"GET /livez HTTP/1.1\r\nX: ")
        for address in ("127.0.0.1", "127.0.0.2"):
            assert status_of(answer_to_livez(running, address)) == 200
        for connection in silent:
            connection.close()


def answer_to_livez(running: Served, address: str) -> bytes:
    with socket.create_connection(
        ("127.0.0.1", running.port), timeout=LONG_S, source_address=(address, 0)
    ) as connection:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return all_of(connection)


def test_bodies_that_are_too_much_together_are_refused(settings: Settings) -> None:
    limits = {"max_held_body_bytes": 150_000}
    with serve_app(settings.model_copy(update=limits)) as running, running.connect() as first:
        first.send(post(b"x" * 100_000, length=110_000))
        refused: list[httpx.Response] = []

        def is_refused() -> bool:
            with running.client() as client:
                refused.append(client.post("/libraries", json={"name": "x" * 100_000}))
            return refused[-1].status_code == 503

        until(is_refused)
        assert_problem(refused[-1], 503)
        assert refused[-1].headers["Retry-After"] == "1"
        with running.client() as client:
            assert client.post("/libraries", json={"name": "small"}).status_code == 201
        first.send(b"x" * 10_000)
        assert status_of(first.recv(65_536)) == 400
        with running.client() as client:
            assert client.post("/libraries", json={"name": "x" * 100_000}).status_code == 422


SEARCHES = {"search": {"text": "a"}, "search/batch": {"searches": [{"text": "a"}]}}


def test_writes_that_wait_leave_reads_room_and_are_refused_in_the_end(settings: Settings) -> None:
    waiting = 5
    limits = {"max_waiting_writes": waiting}
    with serve_app(settings.model_copy(update=limits)) as running:
        store = running.app.state.core.store
        with ThreadPoolExecutor(AT_ONCE + waiting) as pool:
            with store.write():  # the writer lock, which all others wait for
                numbers = range(AT_ONCE + waiting)
                writes = [pool.submit(put_library, running, number) for number in numbers]
                until(lambda: len(store._writes._lock._waiting) == AT_ONCE)
                until(lambda: waiting_writes(running) == waiting)
                with running.client() as client:
                    for answer in (
                        client.delete("/libraries/none"),
                        client.put("/libraries/late", json={"name": "late"}),
                    ):
                        assert_problem(answer, 503)
                        assert answer.headers["Retry-After"] == "1"
                    for path in ("/libraries", "/livez", "/readyz"):
                        assert client.get(path).status_code == 200
                    for path in ("search", "search/batch", "chunks/query"):
                        answer = client.post(f"/libraries/none/{path}", json=SEARCHES.get(path, {}))
                        assert answer.status_code == 404
            assert {write.result(LONG_S) for write in writes} == {201}
        with running.client() as client:
            assert client.put("/libraries/late", json={"name": "late"}).status_code == 201


def put_library(running: Served, number: int) -> int:
    with running.client() as client:
        return client.put(f"/libraries/l{number}", json={"name": f"{number}"}).status_code


def waiting_writes(running: Served) -> int:
    waiting: int = running.app.state.write_limit.waiting
    return waiting
