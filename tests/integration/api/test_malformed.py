"""Malformed HTTP over real sockets: each gets a problem document."""

import json
from collections.abc import Iterator

import pytest

from api.server.connections import MAX_HEADER_BYTES
from core.settings import Settings
from tests.integration.api.sockets import Served, all_of, serve_app, status_of

HEAD = b"GET /libraries?a=b HTTP/1.1\r\nHost: localhost\r\n"
POST = (
    b"POST /libraries HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
MALFORMED = {
    "no request line": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ""),
    "unknown method": (b"FETCH / HTTP/1.1\r\n\r\n", ""),
    "lower case": (b"get / HTTP/1.1\r\n\r\n", ""),
    "another protocol": (b"GET /livez SMTP/1.1\r\n\r\n", "/livez"),
    "a version of 9": (b"GET /livez HTTP/9.9\r\n\r\n", "/livez"),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
    "a target of spaces": (b"GET /a b HTTP/1.1\r\n\r\n", "/a"),
    "a target of another kind": (
        b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
        None,
    ),
    "a target beyond ASCII": (b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", None),
    "a header without a name": (HEAD + b": x\r\n\r\n", "/libraries"),
    "a header without a colon": (HEAD + b"x\r\n\r\n", "/libraries"),
    "a space in a name": (HEAD + b"X y: z\r\n\r\n", "/libraries"),
    "a control character": (HEAD + b"X: \x00\r\n\r\n", "/libraries"),
    "two lengths": (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "/libraries"),
    "a length that is none": (HEAD + b"Content-Length: -1\r\n\r\n", "/libraries"),
    "a length and chunks": (
        HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "/libraries",
    ),
    "a chunk's size": (POST + b"xyz\r\n{}\r\n0\r\n\r\n", "/libraries"),
    "a chunk's end": (POST + b"2\r\n{}}}\r\n0\r\n\r\n", "/libraries"),
    "a huge header": (HEAD + b"X: " + b"x" * 10 * MAX_HEADER_BYTES, "/libraries"),
    "a huge header that ends": (
        HEAD + b"X: " + b"x" * MAX_HEADER_BYTES + b"\r\n\r\n",
        "/libraries",
    ),
    "a huge target": (b"GET /" + b"x" * 10 * MAX_HEADER_BYTES, None),
    "many headers": (HEAD + b"X: x\r\n" * MAX_HEADER_BYTES, "/libraries"),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"), temporal_address="127.0.0.1:1", provider="local"
    )
    with serve_app(settings) as server:
        yield server


def problem_in(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert fields[b"content-type"] == b"application/problem+json"
    assert fields[b"connection"] == b"close"
    assert int(fields[b"content-length"]) == len(body)
    document: dict[str, object] = json.loads(body)
    assert document["type"] == "about:blank"
    assert document["status"] == status_of(answer)
    return document


@pytest.mark.parametrize("name", MALFORMED)
def test_it_is_a_problem_document(running: Served, name: str) -> None:
    sent, path = MALFORMED[name]
    with running.connect() as connection:
        connection.sendall(sent)
        answer = all_of(connection)
    assert status_of(answer) == 400
    problem = problem_in(answer)
    assert problem["title"] == "Bad Request"
    assert problem["detail"]
    if path is not None:
        assert problem["instance"] == path
    with running.client() as client:
        assert client.get("/livez").status_code == 200


def test_it_comes_after_the_answers_that_are_due(running: Served) -> None:
    with running.connect() as connection:
        connection.sendall(HEAD + b"\r\n" + HEAD + b"\r\n" + b"\x00\x00")
        received = all_of(connection)
    assert received.count(b"HTTP/1.1 200 OK") == 2
    _, mark, last = received.rpartition(b"HTTP/1.1 400 Bad Request")
    problem_in(mark + last)


def test_a_malformed_body_behind_another_request_is_refused_in_its_turn(running: Served) -> None:
    with running.connect() as connection:
        connection.sendall(HEAD + b"\r\n" + POST + b"xyz\r\n")
        received = all_of(connection)
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.count(b"HTTP/1.1 ") == 2
    _, mark, last = received.rpartition(b"HTTP/1.1 400 Bad Request")
    problem_in(mark + last)


def test_a_body_that_was_answered_already_is_not_answered_again(running: Served) -> None:
    with running.connect() as connection:
        connection.sendall(POST.replace(b"application/json", b"text/plain"))
        answer = connection.recv(65_536)
        assert status_of(answer) == 415
        connection.sendall(b"xyz\r\n")
        assert all_of(connection) == b""


def test_an_upgrade_is_not_taken_and_the_request_answered(running: Served) -> None:
    with running.connect() as connection:
        connection.sendall(HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + HEAD + b"\r\n")
        received = all_of(connection)
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in received
    assert received.count(b"HTTP/1.1 ") == 1
