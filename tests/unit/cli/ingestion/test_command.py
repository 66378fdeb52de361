"""`nalanda ingest`."""

from pathlib import Path

import httpx
import pytest

from cli.ingestion import reading
from tests.unit.cli.conftest import Run, Server
from tests.unit.core.documents.samples import pdf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    (root / "deep").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "a.md").write_text("Hello\n\n# The title #\n\nmore\n## Not this")
    (root / "deep" / "b.txt").write_text("plain # words")
    (root / "c.png").write_text("no text")
    (root / ".git" / "d.txt").write_text("hidden")
    (root / ".e.txt").write_text("hidden")
    return root


def test_a_folder_becomes_a_library(run: Run, server: Server, folder: Path) -> None:
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 0
    assert outcome.out.splitlines() == [
        f"added\t{folder}/a.md",
        f"added\t{folder}/deep/b.txt",
        "Skipped: 2 hidden, 1 .png.",
        "Library books: 2 added, 0 changed, 0 unchanged, 0 failed.",
    ]
    assert outcome.err == ""
    assert "books" in server.libraries
    first, second = server.documents.values()
    assert (first["title"], second["title"]) == ("The title", "b.txt")
    assert first["source"] == (folder / "a.md").as_uri()
    assert first["chunks"][0]["text"].startswith("Hello")
    assert first["chunks"][0]["place"]["title"] == "The title"


def test_the_language_of_the_library(run: Run, server: Server, folder: Path) -> None:
    run("ingest", "--direct", str(folder), "-l", "books")
    assert server.libraries["books"]["language"] == "auto"
    run("ingest", "--direct", str(folder), "-l", "livres", "--language", "french")
    assert server.libraries["livres"]["language"] == "french"
    for same in ("french", "auto"):
        assert (
            run("ingest", "--direct", str(folder), "-l", "livres", "--language", same).status == 0
        )
    refused = run("ingest", "--direct", str(folder), "-l", "livres", "--language", "german")
    assert refused.status == 2
    assert "has the language french" in " ".join(refused.err.split())
    assert run("ingest", "--direct", str(folder), "-l", "new", "--language", "klingon").status == 2


def test_a_library_that_the_run_creates_detects_its_language_from_all_files(
    run: Run, server: Server, folder: Path
) -> None:
    def patches() -> list[bytes]:
        return [request.content for request in server.requests if request.method == "PATCH"]

    assert (
        run("ingest", "--direct", str(folder), "-l", "livres", "--language", "french").status == 0
    )
    assert not patches()
    for _ in range(2):
        assert run("ingest", "--direct", str(folder), "-l", "books").status == 0
        assert patches() == [b'{"language":"auto"}']


def test_again_only_what_changed(run: Run, server: Server, folder: Path) -> None:
    run("ingest", "--direct", str(folder), "-l", "books")
    (folder / "a.md").write_text("other words")
    writes = [request for request in server.requests if request.method == "PUT"]
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.out.endswith("Library books: 0 added, 1 changed, 1 unchanged, 0 failed.\n")
    again = [request for request in server.requests if request.method == "PUT"]
    assert len(again) == len(writes) + 1
    assert len(server.documents) == 2


def test_a_file_is_the_same_from_wherever_it_is_named(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("ingest", "--direct", str(folder / "a.md"), "-l", "books")
    monkeypatch.chdir(folder)
    assert "1 unchanged" in run("ingest", "--direct", "deep/../a.md", "-l", "books").out


def test_what_fails_is_named_and_the_rest_goes_on(run: Run, server: Server, folder: Path) -> None:
    (folder / "b.txt").write_bytes(b"caf\0")
    (folder / "gone.txt").symlink_to(folder / "nowhere")
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    assert outcome.err.splitlines() == [
        f"{folder}/gone.txt: is a broken link ({folder}/nowhere)",
        f"{folder}/b.txt: The file has NUL characters, so it is not text.",
    ]
    assert "2 added, 0 changed, 0 unchanged, 2 failed" in outcome.out


def test_a_file_that_the_server_refuses(run: Run, server: Server, folder: Path) -> None:
    run("ingest", "--direct", str(folder / "a.md"), "-l", "books")
    (document_id,) = server.documents
    server.documents.clear()
    path = f"/libraries/l-books/documents/{document_id}"
    too_large = httpx.Response(413, json={"title": "Content Too Large", "detail": "64 MiB"})
    server.answer(path, httpx.Response(404), too_large)
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    assert outcome.err == (
        f"{folder}/a.md: 413 Content Too Large: 64 MiB To ingest it, split the file, or raise "
        "NALANDA_MAX_BODY_BYTES of the server.\n"
    )
    assert "1 added, 0 changed, 0 unchanged, 1 failed" in outcome.out


def test_a_byte_order_mark_is_no_text(run: Run, server: Server, tmp_path: Path) -> None:
    (tmp_path / "x.md").write_bytes(b"\xef\xbb\xbf# Title")
    run("ingest", "--direct", str(tmp_path), "-l", "books")
    (document,) = server.documents.values()
    assert [chunk["text"] for chunk in document["chunks"]] == ["# Title"]


def test_a_path_that_is_not_there(run: Run, server: Server) -> None:
    assert run("ingest", "--direct", "nowhere", "-l", "books").status == 2


def test_no_server_ends_it(run: Run, server: Server, folder: Path) -> None:
    server.answer("/libraries/books", httpx.ConnectError("refused"))
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)


def test_a_release_that_reads_files_differently_brings_them_in(
    run: Run, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "x.html"
    page.write_text("<title>T</title><p>words")
    run("ingest", "--direct", str(page), "-l", "books")
    assert "1 unchanged" in run("ingest", "--direct", str(page), "-l", "books").out
    monkeypatch.setattr(reading, "READING", "later")
    assert "1 changed" in run("ingest", "--direct", str(page), "-l", "books").out
    assert "1 unchanged" in run("ingest", "--direct", str(page), "-l", "books").out


def test_a_file_that_fails_leaves_its_document(run: Run, server: Server, folder: Path) -> None:
    run("ingest", "--direct", str(folder), "-l", "books")
    (folder / "a.md").write_bytes(b"\0")
    assert "1 unchanged, 1 failed" in run("ingest", "--direct", str(folder), "-l", "books").out
    assert len(server.documents) == 2


def test_a_folder_is_the_same_from_wherever_it_is_named(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("ingest", "--direct", str(folder), "-l", "books")
    (folder.parent / "link").symlink_to(folder)
    monkeypatch.chdir(folder / "deep")
    for path in ("..", "../", f"{folder}/", f"{folder.parent}/./link", "../../link/"):
        assert "2 unchanged, 0 failed" in run("ingest", "--direct", path, "-l", "books").out
    assert len(server.documents) == 2


WORDS = {
    "latin-1": "Le café près de la forêt coûte très cher à Noël. ",
    "cp1251": "Грузы в порту весят много, и корабль уходит утром. ",
    "shift_jis": "港の深さは九尋です。荷物は船で運ばれます。",
    "utf-16": "Grüße aus dem Hafen, 世界。",
}


@pytest.mark.parametrize("encoding", WORDS)
def test_a_text_in_its_encoding(run: Run, server: Server, tmp_path: Path, encoding: str) -> None:
    text = (WORDS[encoding] * 9).strip()
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert run("ingest", "--direct", str(tmp_path), "-l", "books").status == 0
    (document,) = server.documents.values()
    assert " ".join(chunk["text"] for chunk in document["chunks"]) == text


def test_a_file_that_is_not_text(run: Run, server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf([("The harbour is deep.", 12, 700)]))
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4")
    outcome = run("ingest", "--direct", str(tmp_path), "-l", "books")
    assert outcome.status == 1
    (line,) = outcome.err.splitlines()
    assert line.startswith(f"{tmp_path}/b.pdf: The PDF is damaged")
    (document,) = server.documents.values()
    (chunk,) = document["chunks"]
    assert chunk["text"] == "The harbour is deep."
    assert chunk["place"]["page"] == 1
