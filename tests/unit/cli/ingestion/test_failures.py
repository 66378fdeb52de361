"""`nalanda ingest` with failing requests, an unavailable server, or an interruption."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.ingestion import sending
from cli.ingestion.places import id_of
from cli.ingestion.reading import Document, read
from cli.ingestion.report import Report
from tests.signals import handled
from tests.unit.cli.conftest import Run, Server

ON = "To continue, run the same command again: it skips the files already ingested."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    root.mkdir()
    for name in ("a", "b", "c"):
        (root / f"{name}.md").write_text(f"text of {name}")
    return root


def path_of(file: Path) -> str:
    return f"/libraries/l-books/documents/{id_of(file.resolve().as_uri())}"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(500, json={"title": "Internal"}), "500 Internal: no details"),
        (httpx.Response(507, json={"title": "Full", "detail": "no room"}), "507 Full: no room"),
        (httpx.Response(409, json={"title": "Conflict"}), "409 Conflict: no details"),
        (httpx.Response(418), "418 I'm a Teapot: no details"),
        (httpx.Response(200, text="<html>"), "200 Unexpected answer"),
        (httpx.ReadTimeout("slow"), "did not answer in time (ReadTimeout)"),
        (httpx.ReadError("reset"), "could not be reached: reset"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value[:3],
)
def test_a_request_that_fails_costs_its_file_alone(
    run: Run, server: Server, folder: Path, answer: object, reason: str
) -> None:
    server.answer(path_of(folder / "b.md"), answer)
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    (line,) = outcome.err.splitlines()
    assert line.startswith(f"{folder}/b.md: ")
    assert reason in line
    assert outcome.out.splitlines() == [
        f"added\t{folder}/a.md",
        f"added\t{folder}/c.md",
        "Library books: 2 added, 0 changed, 0 unchanged, 1 failed.",
    ]


def test_a_server_that_is_gone_ends_the_run(run: Run, server: Server, folder: Path) -> None:
    server.answer(path_of(folder / "b.md"), httpx.ConnectError("refused"))
    server.answer("/libraries/l-books", httpx.ConnectError("refused"))
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    (ended,) = outcome.err.splitlines()
    assert ended.startswith("nalanda: http://127.0.0.1:8000 could not be reached: refused. Start")
    assert ended.endswith(ON)
    assert outcome.out.splitlines()[-1] == (
        "Library books: 1 added, 0 changed, 0 unchanged, 0 failed."
    )


def test_a_library_that_is_deleted_meanwhile_ends_the_run(
    run: Run, server: Server, folder: Path
) -> None:
    server.answer(path_of(folder / "a.md"), httpx.Response(404))
    server.answer("/libraries/l-books", httpx.Response(404, json={"detail": "There is none."}))
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    assert outcome.err == "nalanda: 404 Not Found: There is none.\n"


def test_failures_in_a_row_end_the_run(run: Run, server: Server, folder: Path) -> None:
    for number in range(30):
        file = folder / f"f{number:02}.md"
        file.write_text("text")
        server.answer(path_of(file), httpx.Response(507, json={"title": "Full"}))
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    *failures, ended = outcome.err.splitlines()
    assert len(failures) == 20
    assert ended.startswith("nalanda: 20 files in a row failed, the last with: 507 Full")
    assert "3 added, 0 changed, 0 unchanged, 20 failed" in outcome.out


def test_refused_files_in_a_row_do_not_end_it(run: Run, server: Server, folder: Path) -> None:
    for number in range(30):
        file = folder / f"f{number:02}.md"
        file.write_text("text")
        server.answer(path_of(file), httpx.Response(413))
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert "3 added, 0 changed, 0 unchanged, 30 failed" in outcome.out


def test_a_library_of_own_vectors_is_named_once(run: Run, server: Server, folder: Path) -> None:
    problem = {
        "title": "Unprocessable Content",
        "errors": [{"pointer": "/chunks/0/embedding", "detail": "This library has no model."}],
    }
    for name in ("a", "b", "c"):
        server.answer(path_of(folder / f"{name}.md"), httpx.Response(422, json=problem))
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1] == (
        "nalanda: The library books accepts no files (embedding: This library has no model.) "
        "Choose another."
    )
    assert "1 failed" in outcome.out


def test_another_run_may_create_the_library_first(run: Run, server: Server, folder: Path) -> None:
    made = server.libraries["books"] = {
        "id": "l-books",
        "name": "books",
        "version": 1,
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
    }
    server.answer("/libraries/books", httpx.Response(404), made)
    server.answer("/libraries", httpx.Response(409))
    assert "3 added" in run("ingest", "--direct", str(folder), "-l", "books").out


def stop_at(monkeypatch: pytest.MonkeyPatch, name: str, stop: Callable[[], None]) -> None:
    def read_or_stop(path: Path) -> Document:
        if path.name == name:
            stop()
        return read(path)

    monkeypatch.setattr(sending, "read", read_or_stop)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_says_how_far_it_came(
    run: Run,
    server: Server,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    stop_at(monkeypatch, "b.md", lambda: signal.raise_signal(number))
    with handled(number):
        before = signal.getsignal(number)
        outcome = run("ingest", "--direct", str(folder), "-l", "books")
        assert signal.getsignal(number) == before
    assert outcome.status == 130
    assert outcome.out.splitlines()[-1] == (
        "Library books: 1 added, 0 changed, 0 unchanged, 0 failed."
    )
    assert outcome.err == f"Interrupted. {ON}\n"


def test_another_ctrl_c_does_not_stop_the_summary(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = Report.summary

    def interrupted(*args: Any, **options: Any) -> Iterator[str]:
        signal.raise_signal(signal.SIGINT)
        return summary(*args, **options)

    monkeypatch.setattr(Report, "summary", interrupted)
    stop_at(monkeypatch, "b.md", lambda: signal.raise_signal(signal.SIGINT))
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 130
    assert "1 added" in outcome.out
    assert outcome.err == f"Interrupted. {ON}\n"


def test_large_files_get_more_time(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.connection._TIMEOUT_S_PER_MIB", 1e8)
    run("ingest", "--direct", str(folder / "a.md"), "-l", "books")
    timeouts = {request.method: request.extensions["timeout"] for request in server.requests}
    assert timeouts["PUT"]["read"] > timeouts["GET"]["read"]


def test_a_library_that_cannot_be_created(run: Run, server: Server, folder: Path) -> None:
    server.answer("/libraries", httpx.Response(422, json={"title": "No", "detail": "bad name"}))
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    assert (outcome.out, outcome.err) == ("", "nalanda: 422 No: bad name\n")
