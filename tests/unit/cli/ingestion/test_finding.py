"""`nalanda ingest`: the files that it finds, and its report on the others."""

import os
import socket
from pathlib import Path

import pytest

from cli.ingestion import reading
from cli.ingestion.errors import UnusableFile
from core.documents.suffixes import MEDIA_TYPES
from tests.unit.cli.conftest import Run, Server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "a.md").write_text("text of a")
    return root


def titles(server: Server) -> list[str]:
    return sorted(document["title"] for document in server.documents.values())


def test_pipes_and_sockets_are_passed_over(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "p.md")
    monkeypatch.chdir(folder)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("s.md")
        outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 0
    assert outcome.err.splitlines() == [
        f"{folder}/p.md: skipped: it is a named pipe",
        f"{folder}/s.md: skipped: it is a socket",
    ]
    assert "Skipped: 2 not a regular file." in outcome.out
    assert titles(server) == ["a.md"]


@pytest.mark.parametrize("name", ["p.md", "/dev/zero"])
def test_a_special_file_that_is_named_fails(
    run: Run, server: Server, folder: Path, name: str
) -> None:
    os.mkfifo(folder / "p.md")
    outcome = run("ingest", "--direct", str(folder / name), str(folder / "a.md"), "-l", "books")
    assert outcome.status == 1
    assert "and only regular files are read" in outcome.err
    assert titles(server) == ["a.md"]


def test_a_file_that_becomes_a_pipe_does_not_hang_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    regular = (folder / "a.md").stat()
    os.mkfifo(folder / "p.md")
    monkeypatch.setattr(Path, "stat", lambda _path: regular)
    with pytest.raises(UnusableFile, match="is a named pipe"):
        reading.read(folder / "p.md")


def test_linked_folders_are_followed_and_each_file_comes_in_once(
    run: Run, server: Server, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.md").write_text("text of b")
    (folder / "other").symlink_to(other)
    (folder / "again").symlink_to(other)
    (folder / "loop").symlink_to(folder)
    (other / "back").symlink_to(tmp_path)
    (folder / "z.md").symlink_to(folder / "a.md")
    outcome = run(
        "ingest", "--direct", str(folder), f"{folder}/", str(folder / "a.md"), "-l", "books"
    )
    assert (outcome.status, outcome.err) == (0, "")
    assert titles(server) == ["a.md", "b.md"]
    assert "2 added, 0 changed, 0 unchanged, 0 failed" in outcome.out


def test_a_link_to_nothing_of_another_kind_is_passed_over(
    run: Run, server: Server, folder: Path
) -> None:
    (folder / "x.png").symlink_to("nowhere")
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.err == f"{folder}/x.png: skipped: it is a broken link (nowhere)\n"
    assert outcome.status == 0


def test_a_link_to_itself_fails(run: Run, server: Server, folder: Path) -> None:
    (folder / "y").symlink_to("y")
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.err == f"{folder}/y: Too many levels of symbolic links\n"
    assert outcome.status == 1
    assert titles(server) == ["a.md"]


def test_what_is_passed_over_is_counted_by_kind(run: Run, server: Server, folder: Path) -> None:
    for name in ("x.png", "y.PNG", "z.exe", "4913", ".hidden.md", "a.md~", "~$a.docx", "x.min.js"):
        (folder / name).write_text("")
    (folder / "package-lock.json").write_text("{}")
    for name in (".git", "node_modules", "env", "target"):
        (folder / name).mkdir()
        (folder / name / "b.md").write_text("not taken")
    (folder / "env" / "pyvenv.cfg").write_text("home = /usr")
    (folder / "target" / "CACHEDIR.TAG").write_text("Signature")
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.out.splitlines()[1] == (
        "Skipped: 2 .png, 2 hidden, 1 .exe, 1 .md~, 1 .min.js, 1 cache, 1 node_modules, "
        "1 package-lock.json, 1 temporary, 1 virtual environment, 1 without a suffix."
    )
    assert titles(server) == ["a.md"]


def test_what_is_named_is_taken_in_any_case(run: Run, server: Server, folder: Path) -> None:
    for name in ("node_modules", ".notes"):
        (folder / name).mkdir()
        (folder / name / f"{name.strip('.')}.md").write_text("taken")
    (folder / "node_modules" / "CACHEDIR.TAG").write_text("Signature")
    (folder / "x.min.js").write_text("taken")
    (folder / ".gitignore").write_text("*.js\n.notes\nnode_modules")
    named = [str(folder / name) for name in ("node_modules", ".notes", "x.min.js")]
    assert run("ingest", "--direct", *named, "-l", "books").status == 0
    assert titles(server) == ["node_modules.md", "notes.md", "x.min.js"]


def test_source_code_is_taken_and_names_that_texts_have(
    run: Run, server: Server, folder: Path
) -> None:
    (folder / "x.py").write_text("def depth():\n    return 9\n")
    for name in ("Makefile", "README", "settings.YML"):
        (folder / name).write_text("all: notes")
    assert run("ingest", "--direct", str(folder), "-l", "books").status == 0
    assert titles(server) == ["Makefile", "README", "a.md", "settings.YML", "x.py"]
    code = next(document for document in server.documents.values() if document["title"] == "x.py")
    assert code["chunks"][0]["text"] == "```python\ndef depth():\n    return 9\n```"


def test_what_git_ignores_is_passed_over(run: Run, server: Server, folder: Path) -> None:
    (folder / ".gitignore").write_text("/build/\n*.log\nmissing.md\n")
    (folder / "build").mkdir()
    (folder / "build" / "b.md").write_text("built")
    (folder / "x.log").write_text("logged")
    (folder / "missing.md").symlink_to("nowhere")
    (folder / "src").mkdir()
    (folder / "src" / ".gitignore").write_text("!kept.log\n")
    (folder / "src" / "kept.log").write_text("kept")
    (folder / "src" / "build").mkdir()
    (folder / "src" / "build" / "c.md").write_text("notes on builds")
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 0
    assert "Skipped: 3 in .gitignore, 2 hidden." in outcome.out
    assert titles(server) == ["a.md", "c.md", "kept.log"]
    (folder / "missing.md").unlink()
    outcome = run("ingest", "--direct", str(folder), "-l", "books", "--no-ignore")
    assert "2 added, 0 changed, 3 unchanged" in outcome.out


def test_rules_that_cannot_be_read_are_named(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".gitignore").write_text("a.md")
    real_read = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == ".gitignore":
            raise PermissionError(13, "Permission denied", str(path))
        return real_read(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.err == (
        f"{folder}/.gitignore: can't be read, so its rules have no effect: Permission denied\n"
    )
    assert titles(server) == ["a.md"]


def test_many_kinds_are_summed_up(run: Run, server: Server, folder: Path) -> None:
    for number in range(20):
        (folder / f"x.k{number:02}").write_text("")
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert "1 .k11, 8 of 8 other kinds." in outcome.out


def test_every_kind_of_document_is_taken(run: Run, server: Server, tmp_path: Path) -> None:
    for suffix in MEDIA_TYPES:
        (tmp_path / f"x{suffix.upper()}").write_text("words")
    said = run("ingest", "--direct", str(tmp_path), "-l", "books").err
    refused = {line.partition(": ")[0].rpartition("/")[2] for line in said.splitlines()}
    assert refused == {"x.DOCX", "x.IPYNB", "x.PDF", "x.PPTX"}
    assert len(server.documents) == len(MEDIA_TYPES) - len(refused)


def test_a_folder_without_known_files_says_so(run: Run, server: Server, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("")
    outcome = run("ingest", "--direct", str(tmp_path), "-l", "books")
    assert outcome.status == 1
    assert outcome.err == f"{tmp_path}: has no document, text or source code to take\n"
    assert server.libraries == {}


def test_other_folders_come_in_all_the_same(run: Run, server: Server, folder: Path) -> None:
    (folder / "sub").mkdir()
    empty = folder.parent / "empty"
    empty.mkdir()
    outcome = run("ingest", "--direct", str(empty), str(folder), str(folder / "sub"), "-l", "books")
    assert outcome.status == 1
    assert len(outcome.err.splitlines()) == 1
    assert titles(server) == ["a.md"]


def test_a_folder_that_cannot_be_listed_is_named(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "locked").mkdir()
    real_scandir = os.scandir

    def scandir(path: Path) -> "os._ScandirIterator[str]":
        if path.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return real_scandir(str(path))

    monkeypatch.setattr("cli.ingestion.finding.os.scandir", scandir)
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    assert outcome.err == f"{folder}/locked: can't be listed: Permission denied\n"
    assert titles(server) == ["a.md"]


def test_a_name_that_is_not_utf_8(run: Run, server: Server, folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (folder / name).write_text("words")
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert (outcome.status, outcome.err) == (0, "")
    assert f"added\t{folder}/caf\N{REPLACEMENT CHARACTER}.txt" in outcome.out
    assert titles(server) == ["a.md", "caf\N{REPLACEMENT CHARACTER}.txt"]
    (document,) = (d for d in server.documents.values() if d["title"] != "a.md")
    assert document["source"] == f"{folder.as_uri()}/caf%E9.txt"


def test_a_file_without_text_is_said(run: Run, server: Server, folder: Path) -> None:
    (folder / "empty.md").write_text("")
    (folder / "blank.html").write_text(" \n\t")
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 0
    assert outcome.err.splitlines() == [
        f"{folder}/{name}: has no text, so no search will find it"
        for name in ("blank.html", "empty.md")
    ]
    assert "3 added" in outcome.out


def test_a_file_that_changes_while_it_is_read(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = iter(range(10))
    monkeypatch.setattr(reading, "_version", lambda _status: (next(versions), 0))
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    assert outcome.err == f"{folder}/a.md: changed while it was read; run the same command again\n"
    assert next(versions) == 4  # each of two attempts looked twice


def test_a_file_that_is_too_large(
    run: Run, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 8)
    outcome = run("ingest", "--direct", str(folder), "-l", "books")
    assert outcome.status == 1
    assert outcome.err.startswith(f"{folder}/a.md: is larger than ")


def test_a_path_that_cannot_be_looked_at_fails(run: Run, server: Server, folder: Path) -> None:
    outcome = run("ingest", "--direct", str(folder / ("x" * 3000)), str(folder), "-l", "books")
    assert outcome.status == 1
    assert outcome.err.endswith("xx…: File name too long\n")
    assert titles(server) == ["a.md"]


def test_a_path_below_a_file(run: Run, server: Server, folder: Path) -> None:
    outcome = run("ingest", "--direct", str(folder / "a.md" / "b"), "-l", "books")
    assert outcome.status == 2
    assert server.requests == []
