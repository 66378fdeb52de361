"""`nalanda library`."""

import io
import json

import pytest

from tests.unit.cli.conftest import ENTITY, Run, Server

BOOKS = {**ENTITY, "id": "l-books", "name": "books", "dimension": 256}
INDEX = {
    "kind": "flat",
    "state": "ready",
    "segments": 1,
    "vectors": 12,
    "deleted": 0,
    "memory_bytes": 99,
}


def test_list_has_a_line_for_each(run: Run, server: Server) -> None:
    server.answer("/libraries", {"items": [BOOKS, {**BOOKS, "name": "a\nb"}]})
    assert run("library", "list").out == (
        "books\t256\tcosine\t\tl-books\na b\t256\tcosine\t\tl-books\n"
    )


def test_list_on_a_terminal(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "20")
    server.answer("/libraries", {"items": [BOOKS, {**BOOKS, "name": "北京"}]})
    assert run("library", "list").out.splitlines() == [
        "name   dimension  metric  model  id",
        "books  256        cosine         l-books",
        "北京   256        cosine         l-books",
    ]


def test_list_as_json(run: Run, server: Server) -> None:
    server.answer("/libraries", {"items": [BOOKS]})
    assert json.loads(run("library", "list", "--json").out)["name"] == "books"


def test_create_sends_what_was_given(run: Run, server: Server) -> None:
    schema = '{"fields": {"year": {"type": "integer"}}}'
    options = ("--dimension", "3", "--language", "french", "--schema", schema)
    outcome = run("library", "create", "books", *options)
    assert outcome.out == "Created library books with id l-books.\n"
    assert json.loads(server.requests[0].content) == {
        "name": "books",
        "dimension": 3,
        "language": "french",
        "metadata_schema": json.loads(schema),
    }


def test_show(run: Run, server: Server) -> None:
    server.libraries["books"] = BOOKS
    server.answer("/libraries/l-books/index", INDEX)
    lines = run("library", "show", "books").out.splitlines()
    assert {"name\tbooks", "dimension\t256", "vectors\t12"} <= set(lines)
    assert json.loads(run("library", "show", "books", "--json").out)["id"] == "l-books"


def test_show_what_is_not_there(run: Run, server: Server) -> None:
    outcome = run("library", "show", "books")
    assert (outcome.status, outcome.err) == (
        1,
        "nalanda: 404 Not Found: There is no 'books'.\n",
    )


def test_delete(run: Run, server: Server) -> None:
    server.libraries.update({"books": BOOKS, "l-books": BOOKS})
    assert run("library", "delete", "books", "--yes").status == 0
    assert "l-books" not in server.libraries


@pytest.mark.parametrize("said", ["n\n", ""])
def test_delete_asks_first(
    said: str, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    server.libraries.update({"books": BOOKS, "l-books": BOOKS})
    assert run("library", "delete", "books").status == 1
    assert "l-books" in server.libraries
