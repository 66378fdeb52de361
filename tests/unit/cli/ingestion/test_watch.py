"""`nalanda ingest --watch`: rounds of changes, scan by scan."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from cli.ingestion.places import id_of
from cli.interruption import INTERRUPTED, Interrupted
from tests.unit.cli.conftest import Outcome, Run, Server

Step = Callable[[], object]


def nothing() -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "a.md").write_text("text of a")
    return root


@pytest.fixture
def watch(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Watch the folder: take a step after each scan, and end it after the last one."""

    def call(*steps: Step, options: tuple[str, ...] = ()) -> Outcome:
        waiting = iter(steps)

        def sleep(_seconds: float) -> None:
            step = next(waiting, None)
            if step is None:
                raise Interrupted
            step()

        monkeypatch.setattr("cli.ingestion.watch.sleep", sleep)
        return run("ingest", "--direct", "--watch", str(folder), "-l", "books", *options)

    return call


def titles(server: Server) -> list[str]:
    return sorted(document["title"] for document in server.documents.values())


def writes(server: Server) -> int:
    return sum(request.method == "PUT" for request in server.requests)


def rounds(outcome: Outcome) -> list[str]:
    """Return the counts of each round, without its time."""
    lines = [line.split("\t") for line in outcome.out.splitlines()]
    return [line[1] for line in lines if line[0][:2].isdigit()]


def test_new_and_changed_files_come_in_round_by_round(
    watch: Callable[..., Outcome], server: Server, folder: Path
) -> None:
    outcome = watch(
        lambda: (folder / "b.md").write_text("text of b"),
        nothing,
        lambda: (folder / "a.md").write_text("other words"),
        nothing,
        lambda: (folder / "b.md").touch(),
        nothing,
        (folder / "b.md").unlink,
        nothing,
    )
    assert outcome.status == INTERRUPTED
    assert rounds(outcome) == ["1 added.", "1 changed."]
    assert outcome.err.splitlines()[0] == "Watching for changes; Ctrl-C ends it."
    assert outcome.out.splitlines()[-1] == (
        "Library books: 2 added, 1 changed, 1 unchanged, 0 failed."
    )
    assert titles(server) == ["a.md", "b.md"]


def test_with_prune_what_is_renamed_or_gone_is_followed(
    watch: Callable[..., Outcome], server: Server, folder: Path
) -> None:
    (folder / "c.md").write_text("text of c")
    outcome = watch(
        lambda: (folder / "a.md").rename(folder / "z.md"),
        nothing,
        (folder / "c.md").unlink,
        nothing,
        options=("--prune",),
    )
    assert rounds(outcome) == ["1 added, 1 pruned.", "1 pruned."]
    assert titles(server) == ["z.md"]


def test_a_file_that_grows_is_read_once_it_rests(
    watch: Callable[..., Outcome], server: Server, folder: Path
) -> None:
    path = folder / "b.md"
    growing = [lambda n=n: path.write_text("words " * n) for n in range(1, 5)]
    outcome = watch(*growing, nothing, nothing)
    assert writes(server) == 2
    assert rounds(outcome) == ["1 added."]
    (document,) = (d for d in server.documents.values() if d["title"] == "b.md")
    assert document["chunks"][0]["text"] == ("words " * 4).strip()


def test_a_file_that_an_editor_replaces_is_not_pruned(
    watch: Callable[..., Outcome], server: Server, folder: Path
) -> None:
    (folder / "b.md").write_text("text of b")
    outcome = watch(
        (folder / "a.md").unlink,
        lambda: (folder / "a.md").write_text("saved again"),
        nothing,
        lambda: (folder / "4913").touch(),
        (folder / "4913").unlink,
        options=("--prune",),
    )
    assert rounds(outcome) == ["1 changed."]
    assert titles(server) == ["a.md", "b.md"]


def test_an_outage_is_said_once_and_outlasted(
    watch: Callable[..., Outcome], server: Server, folder: Path
) -> None:
    path = f"/libraries/l-books/documents/{id_of((folder / 'b.md').as_uri())}"
    refused = httpx.ConnectError("refused")

    def stop() -> None:
        (folder / "b.md").write_text("text of b")
        server.answer(path, refused)
        server.answer("/libraries/l-books", refused)

    def start() -> None:
        server.answers.clear()

    outcome = watch(stop, nothing, nothing, nothing, start, nothing, nothing)
    assert outcome.status == INTERRUPTED
    assert rounds(outcome) == ["1 added."]
    (away,) = outcome.err.splitlines()[1:-1]
    assert away.startswith("http://127.0.0.1:8000 could not be reached: refused.")
    assert away.endswith("Trying again meanwhile.")
    assert titles(server) == ["a.md", "b.md"]


def test_an_outage_of_the_first_round(
    watch: Callable[..., Outcome], server: Server, folder: Path
) -> None:
    refused = httpx.ConnectError("refused")
    server.answer(f"/libraries/l-books/documents/{id_of((folder / 'a.md').as_uri())}", refused)
    server.answer("/libraries/l-books", refused)
    outcome = watch(nothing, server.answers.clear, nothing)
    assert titles(server) == ["a.md"]
    assert len(outcome.err.splitlines()) == 3


def test_a_library_that_is_deleted_ends_it(
    watch: Callable[..., Outcome], server: Server, folder: Path
) -> None:
    def delete() -> None:
        (folder / "b.md").write_text("text of b")
        gone = httpx.Response(404, json={"title": "Not Found", "detail": "There is none."})
        server.answer(f"/libraries/l-books/documents/{id_of((folder / 'b.md').as_uri())}", gone)
        server.answer("/libraries/l-books", gone)

    outcome = watch(delete, nothing, nothing)
    assert outcome.status == 1
    assert "404 Not Found: There is none." in outcome.err


def test_what_a_scan_remarks_is_said_when_it_is_new(
    watch: Callable[..., Outcome], server: Server, folder: Path
) -> None:
    link = folder / "x.md"
    link.symlink_to("nowhere")
    outcome = watch(
        nothing, nothing, link.unlink, lambda: link.symlink_to("nowhere"), nothing, nothing
    )
    assert outcome.err.count("x.md: is a broken link (nowhere)") == 2


def test_a_file_that_fails_is_tried_again_once_it_changes(
    watch: Callable[..., Outcome], server: Server, folder: Path
) -> None:
    (folder / "b.md").write_bytes(b"\0")
    outcome = watch(nothing, nothing, lambda: (folder / "b.md").write_text("words"), nothing)
    assert outcome.err.count("b.md: The file has NUL characters") == 1
    assert rounds(outcome) == ["1 added."]
