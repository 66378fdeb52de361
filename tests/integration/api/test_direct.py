"""Searches that a connection answers itself, after one with the same head has passed all checks."""

import re
from collections.abc import Iterator
from unittest import mock

import pytest
from pydantic import SecretStr

from api.server.direct import DirectConnection
from core.settings import Settings
from tests.integration.api.sockets import Served, all_of, post, serve_app, status_of
from tests.waiting import until

PATH = "/libraries/planar/search"
BODY = b'{"embedding": [1, 0], "k": 1}'
SEARCH = post(BODY, path=PATH)
LAST = SEARCH.replace(b"Content-Type", b"Connection: close\r\nContent-Type")
_CHANGING = re.compile(rb'"took_ms":[0-9.e-]+|content-length: [0-9]+|date: [^\r]+')


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    with serve_app(settings) as running, running.client() as client:
        client.put("/libraries/l", json={"name": "planar", "dimension": 2}).raise_for_status()
        chunks = [{"id": f"c{n}", "text": "t", "embedding": [1, n]} for n in range(3)]
        document = client.put("/libraries/l/documents/d", json={"chunks": chunks})
        document.raise_for_status()
        yield running


@pytest.fixture
def direct() -> Iterator[mock.Mock]:
    """Count what connections answer themselves."""
    send = DirectConnection._send
    with mock.patch.object(DirectConnection, "_send", autospec=True, side_effect=send) as counted:
        yield counted


def answers_to(served: Served, *requests: bytes) -> list[bytes]:
    """Send requests one after the other on one connection, and return the answers."""
    answers = []
    with served.connect() as connection:
        for request in requests:
            connection.sendall(request)
            received = b""
            while not (whole := _whole(received)):
                more = connection.recv(65_536)
                assert more, received
                received += more
            answers.append(whole)
    return answers


def _whole(received: bytes) -> bytes:
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: ([0-9]+)", head)
    return received if end and length and len(body) == int(length[1]) else b""


def test_the_answers_are_those_of_the_app(served: Served, direct: mock.Mock) -> None:
    by_app, *others = answers_to(served, SEARCH, SEARCH, SEARCH)
    assert direct.call_count == 2
    assert status_of(by_app) == 200
    for other in others:
        assert _CHANGING.sub(b"", other) == _CHANGING.sub(b"", by_app)


def test_another_head_is_checked(served: Served, direct: mock.Mock) -> None:
    host = SEARCH.replace(b"localhost", b"elsewhere.example")
    type_ = SEARCH.replace(b"application/json", b"text/plain")
    page = SEARCH.replace(b"Content-Type", b"Origin: http://elsewhere.example\r\nContent-Type")
    answers = answers_to(served, SEARCH, host, type_, page, SEARCH)
    assert [status_of(answer) for answer in answers] == [200, 403, 415, 403, 200]
    assert direct.call_count == 1


def test_each_key_is_checked(settings: Settings, direct: mock.Mock) -> None:
    settings = settings.model_copy(update={"api_keys": [SecretStr("right")]})
    right, wrong = (
        SEARCH.replace(b"Content-Type", b"Authorization: Bearer %b\r\nContent-Type" % key)
        for key in (b"right", b"wrong")
    )
    with serve_app(settings) as running, running.client() as client:
        headers = {"Authorization": "Bearer right"}
        made = client.post("/libraries", json={"name": "planar", "dimension": 2}, headers=headers)
        made.raise_for_status()
        answers = answers_to(running, right, wrong, SEARCH, right)
    assert [status_of(answer) for answer in answers] == [200, 401, 401, 200]
    assert direct.call_count == 1


def test_what_the_app_has_to_answer(served: Served, direct: mock.Mock) -> None:
    broken, wrong = post(b'{"embedding": [1,', path=PATH), post(b'{"embedding": [1]}', path=PATH)
    by_text = post(b'{"text": "t", "mode": "lexical"}', path=PATH)
    answers = answers_to(served, SEARCH, broken, wrong, by_text, SEARCH)
    assert [status_of(answer) for answer in answers] == [200, 400, 422, 200, 200]
    assert direct.call_count == 1


def test_a_library_that_is_gone(served: Served, direct: mock.Mock) -> None:
    answers_to(served, SEARCH)
    with served.client() as client:
        client.delete("/libraries/l").raise_for_status()
    [answer] = answers_to(served, SEARCH)
    assert status_of(answer) == 404
    assert direct.call_count == 0


def test_a_failure_is_the_apps_to_tell(served: Served, direct: mock.Mock) -> None:
    answers_to(served, SEARCH)
    search = "core.services.search.service.SearchService.search"
    with mock.patch(search, side_effect=RuntimeError("broken")):
        [answer] = answers_to(served, SEARCH)
    assert status_of(answer) == 500
    assert direct.call_count == 0


def test_a_body_in_pieces(served: Served, direct: mock.Mock) -> None:
    answers_to(served, SEARCH)
    with served.connect() as connection:
        for piece in (LAST[:20], LAST[20:-9], LAST[-9:]):
            connection.sendall(piece)
        assert status_of(all_of(connection)) == 200
        assert direct.call_count == 0


def test_pipelined_searches_are_answered_in_order(served: Served, direct: mock.Mock) -> None:
    answers_to(served, SEARCH)
    two = post(b'{"embedding": [1, 0], "k": 2}', path=PATH)
    livez = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with served.connect() as connection:
        connection.sendall(SEARCH + two + livez + two + LAST)
        received = all_of(connection)
    assert received.count(b"HTTP/1.1 200") == 5
    assert [len(part.split(b'"chunk_id"')) - 1 for part in received.split(b"HTTP/1.1 200")][1:] == [
        1, 2, 0, 2, 1,
    ]  # fmt: skip
    assert direct.call_count == 2


def test_what_follows_a_search_is_checked(served: Served, direct: mock.Mock) -> None:
    answers_to(served, SEARCH)
    with served.connect() as connection:
        connection.sendall(SEARCH + b"GARBAGE\r\n\r\n")
        received = all_of(connection)
    assert received.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 400" in received


def test_they_count(served: Served, direct: mock.Mock) -> None:
    answers_to(served, *[SEARCH] * 4)
    labels = 'method="POST",route="/libraries/{library_id}/search",status="200"'
    line = f"nalanda_http_requests_total{{{labels}}} 4.0"
    with served.client() as client:
        until(lambda: line in client.get("/metrics").text)
    assert direct.call_count == 3


def test_a_search_with_its_own_position_is_not_remembered_as_another(
    served: Served, direct: mock.Mock
) -> None:
    later = SEARCH.replace(b"Content-Type", b"Nalanda-Min-Position: 99\r\nContent-Type")
    answers = answers_to(served, SEARCH, later, SEARCH)
    assert [status_of(answer) for answer in answers] == [200, 503, 200]
