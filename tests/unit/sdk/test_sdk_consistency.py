"""Consistency of reads: eventual, session and strong."""

from threading import Thread
from typing import Any

import httpx
import pytest

from nalanda import Consistency, InvalidValue, Nalanda, PositionLost, UnavailableError
from tests.unit.sdk.script import FOUND, LIBRARY, Nodes, Script, ok, page, problem

WRITTEN = ok(LIBRARY, position=8)


def headers(script: Script) -> tuple[str | None, str | None]:
    """Return the position and the consistency that the last request asked for."""
    sent = script.last.headers
    return sent.get("Nalanda-Min-Position"), sent.get("Nalanda-Consistency")


def test_a_session_reads_what_it_has_written_and_read() -> None:
    script = Script(WRITTEN, ok(FOUND, position=9), page([]), ok(LIBRARY, position=3), page([]))
    with script.client() as client:
        client.libraries.create("a")
        assert headers(script) == (None, None)
        client.search("a", text="x")
        assert headers(script) == ("8", None)
        list(client.chunks.list("a"))
        assert headers(script) == ("9", None)
        client.libraries.get("a")
        list(client.chunks.list("a", min_position=7))
        assert headers(script) == ("9", None)
        list(client.chunks.list("a", min_position=12))
        assert headers(script) == ("12", None)


@pytest.mark.parametrize(
    ("consistency", "position", "sent"),
    [
        ("strong", None, (None, "strong")),
        ("strong", 5, ("5", "strong")),
        ("eventual", None, (None, "eventual")),
        ("eventual", 5, ("5", "session")),
    ],
)
def test_other_consistencies(
    consistency: Consistency, position: int | None, sent: tuple[str | None, str | None]
) -> None:
    script = Script(WRITTEN, ok(FOUND, position=9))
    with script.client(consistency=consistency) as client:
        client.libraries.create("a")
        assert headers(script) == (None, None)
        client.search("a", text="x", min_position=position)
        assert headers(script) == sent


def test_a_consistency_for_some_calls() -> None:
    script = Script(WRITTEN, ok(FOUND, position=9), page([]))
    with script.client() as client:
        strong = client.with_consistency("strong")
        strong.libraries.create("a")
        strong.search("a", text="x")
        assert headers(script) == (None, "strong")
        list(client.chunks.list("a"))
        assert headers(script) == ("9", None)
        assert (client.position, strong.position) == (9, 9)


def test_a_consistency_that_is_none() -> None:
    wrong: Any = "linear"
    with pytest.raises(InvalidValue, match="'linear', none of eventual, session, strong"):
        Nalanda(consistency=wrong)
    with Nalanda() as client, pytest.raises(InvalidValue, match="linear"):
        client.with_consistency(wrong)


def test_threads_share_a_session() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return ok(LIBRARY, position=int(request.url.path.rpartition("/")[2]))

    with Nodes(a=answer).client() as client:

        def read(first: int) -> None:
            for number in range(first, 200, 4):
                client.libraries.get(str(number))
                assert client.position >= number

        threads = [Thread(target=read, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.position == 199


class Record:
    """A record that goes back, and nodes that have reached a position of it."""

    def __init__(self, recorded: int) -> None:
        self.recorded = recorded

    def node(self, reached: int) -> Any:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.headers.get("Nalanda-Consistency") == "strong":
                return page_at(self.recorded)
            if int(request.headers.get("Nalanda-Min-Position", 0)) > reached:
                behind = problem(503, retry_after="1")
                behind.headers["Nalanda-Position"] = str(reached)
                return behind
            return page_at(reached)

        return answer


def page_at(position: int) -> httpx.Response:
    return ok({"items": [], "next_cursor": None}, position=position)


def test_a_node_that_is_behind_is_passed_over(sleeps: list[float]) -> None:
    record = Record(9)
    nodes = Nodes(a=ok(LIBRARY, status=201, position=9), b=record.node(7), c=record.node(9))
    with nodes.client() as client:
        client.libraries.create("a")
        nodes.nodes["a"] = record.node(7)
        assert list(client.libraries.list()) == []
        assert client.position == 9
    assert nodes.hosts == ["a", "b", "c", "a", "c"]
    assert sleeps == []


def test_a_record_that_went_back_is_said_once(sleeps: list[float]) -> None:
    record = Record(9)
    nodes = Nodes(a=record.node(9), b=record.node(9))
    with nodes.client() as client:
        list(client.libraries.list())
        record.recorded = 5
        nodes.nodes |= {"a": record.node(5), "b": record.node(5)}
        with pytest.raises(PositionLost, match=r"went back to position 5.* has seen 9") as raised:
            list(client.libraries.list())
        assert (raised.value.position, raised.value.recorded) == (9, 5)
        assert client.position == 5
        assert list(client.libraries.list()) == []


def test_a_position_that_no_node_has_yet_is_waited_for(sleeps: list[float]) -> None:
    """A position of the call's own is none of the session's."""
    nodes = Nodes(a=Record(5).node(5))
    with nodes.client(max_retries=0) as client, pytest.raises(UnavailableError):
        client.documents.get("a", "d", min_position=9)
    assert nodes.hosts == ["a"]


def test_nodes_that_are_all_behind_are_waited_for(sleeps: list[float]) -> None:
    record = Record(9)
    nodes = Nodes(a=record.node(9), b=record.node(9))
    with nodes.client(timeout_s=10) as client:
        list(client.libraries.list())
        nodes.nodes |= {"a": record.node(7), "b": record.node(8)}
        with pytest.raises(UnavailableError):
            list(client.libraries.list())
        assert client.position == 9
