"""`nalanda ingest --prune`."""

import os
from pathlib import Path
from shutil import rmtree

import httpx
import pytest

from cli.ingestion.places import id_of
from cli.interruption import Interrupted
from tests.unit.cli.conftest import Outcome, Run, Server

DOCUMENT = {
    "library_id": "l",
    "version": 1,
    "created_at": "2026-01-02T03:04:05Z",
    "updated_at": "2026-01-02T03:04:05Z",
}


@pytest.fixture
def folder(run: Run, server: Server, tmp_path: Path) -> Path:
    """Return a folder whose files are in the library: `a.md`, `b.md`, `sub/c.md`."""
    root = tmp_path / "docs"
    (root / "sub").mkdir(parents=True)
    for name in ("a.md", "b.md", "sub/c.md"):
        (root / name).write_text(f"text of {name}")
    assert run("ingest", "--direct", str(root), "-l", "books").status == 0
    return root


@pytest.fixture
def prune(run: Run, folder: Path) -> "Prune":
    return Prune(run, folder)


class Prune:
    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._folder = folder

    def __call__(self, *paths: Path) -> Outcome:
        named = [str(path) for path in paths] or [str(self._folder)]
        return self._run("ingest", "--direct", *named, "-l", "books", "--prune")


def titles(server: Server) -> list[str]:
    return sorted(document["title"] for document in server.documents.values())


def test_pruned_paths_are_shown_as_the_folder_was_given(
    prune: Prune, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub" / "c.md").unlink()
    monkeypatch.chdir(folder.parent)
    outcome = prune(Path("docs"))
    assert outcome.out.splitlines()[:-1] == [
        "unchanged\tdocs/a.md",
        "unchanged\tdocs/b.md",
        "pruned\tdocs/sub/c.md",
    ]


def test_a_renamed_file_is_there_once(prune: Prune, server: Server, folder: Path) -> None:
    (folder / "a.md").rename(folder / "z.md")
    outcome = prune()
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        f"unchanged\t{folder}/b.md",
        f"added\t{folder}/z.md",
        f"unchanged\t{folder}/sub/c.md",
        f"pruned\t{folder}/a.md",
        "Library books: 1 added, 0 changed, 2 unchanged, 0 failed, 1 pruned.",
    ]
    assert titles(server) == ["b.md", "c.md", "z.md"]


def test_files_that_moved_between_folders(prune: Prune, server: Server, folder: Path) -> None:
    (folder / "sub" / "c.md").rename(folder / "c.md")
    (folder / "more").mkdir()
    (folder / "a.md").rename(folder / "more" / "a.md")
    assert "2 added, 0 changed, 1 unchanged, 0 failed, 2 pruned" in prune().out
    assert titles(server) == ["a.md", "b.md", "c.md"]


def test_a_deleted_folder(prune: Prune, server: Server, folder: Path) -> None:
    rmtree(folder / "sub")
    assert "1 pruned" in prune().out
    assert titles(server) == ["a.md", "b.md"]


def test_without_the_option_all_documents_stay(run: Run, server: Server, folder: Path) -> None:
    (folder / "a.md").unlink()
    run("ingest", "--direct", str(folder), "-l", "books")
    assert titles(server) == ["a.md", "b.md", "c.md"]


def test_documents_from_elsewhere_stay(
    run: Run, prune: Prune, server: Server, folder: Path
) -> None:
    sibling = folder.with_name("docs-old")
    sibling.mkdir()
    (sibling / "s.md").write_text("text of s")
    (folder / "noted").write_text("text of no known kind")
    run("ingest", "--direct", str(sibling), str(folder / "noted"), "-l", "books")
    rmtree(sibling)
    written = (folder / "gone.md").as_uri()
    server.documents["own"] = {**DOCUMENT, "id": "own", "title": "own", "source": written}
    server.documents["none"] = {**DOCUMENT, "id": "none", "title": "none"}
    web = id_of("https://example.org/x")
    server.documents[web] = {**DOCUMENT, "id": web, "title": "w", "source": "https://example.org/x"}
    (folder / "a.md").unlink()
    assert "1 pruned" in prune().out
    assert titles(server) == ["b.md", "c.md", "none", "noted", "own", "s.md", "w"]


def test_an_empty_folder_prunes_nothing(prune: Prune, server: Server, folder: Path) -> None:
    rmtree(folder)
    folder.mkdir()
    outcome = prune()
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1] == (
        f"{folder}: has no file of a known kind, so 3 documents below it can't be pruned"
    )
    assert titles(server) == ["a.md", "b.md", "c.md"]


def test_a_folder_that_cannot_be_listed_prunes_nothing(
    prune: Prune, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub" / "c.md").unlink()
    (folder / "a.md").unlink()
    real_scandir = os.scandir

    def scandir(path: Path) -> "os._ScandirIterator[str]":
        if path.name == "sub":
            raise OSError(5, "Input/output error", str(path))
        return real_scandir(str(path))

    monkeypatch.setattr("cli.ingestion.finding.os.scandir", scandir)
    outcome = prune()
    assert outcome.status == 1
    assert f"{folder}/sub: can't be listed, so 1 document below it can't be pruned" in outcome.err
    assert titles(server) == ["b.md", "c.md"]


def test_a_file_that_cannot_be_looked_at_stays(
    prune: Prune, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rmtree(folder / "sub")
    real_stat = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name == "c.md":
            raise PermissionError(13, "Permission denied", str(path))
        return real_stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    assert "0 pruned" in prune().out
    assert titles(server) == ["a.md", "b.md", "c.md"]


def test_below_a_link_to_nothing_nothing_is_pruned(
    prune: Prune, server: Server, folder: Path
) -> None:
    rmtree(folder / "sub")
    (folder / "sub").symlink_to("/media/unplugged")
    outcome = prune()
    assert f"{folder}/sub: is a broken link, so 1 document below it can't be pruned" in outcome.err
    assert titles(server) == ["a.md", "b.md", "c.md"]


def test_a_linked_folder_without_files_prunes_nothing(
    run: Run, prune: Prune, server: Server, folder: Path
) -> None:
    disk = folder.with_name("disk")
    disk.mkdir()
    (disk / "d.md").write_text("text of d")
    (disk / "e.md").write_text("text of e")
    (folder / "disk").symlink_to(disk)
    prune()
    (disk / "d.md").rename(disk / "f.md")
    assert "1 added, 0 changed, 4 unchanged, 0 failed, 1 pruned" in prune().out
    rmtree(disk)
    disk.mkdir()
    outcome = prune()
    assert f"{folder}/disk: has no file of a known kind, so 2 documents" in outcome.err
    assert titles(server) == ["a.md", "b.md", "c.md", "e.md", "f.md"]


def test_a_disk_that_is_not_mounted_prunes_nothing(
    run: Run, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "docs" / "disk"
    disk.mkdir(parents=True)
    (tmp_path / "docs" / "a.md").write_text("text of a")
    (disk / "d.md").write_text("text of d")
    monkeypatch.setattr(Path, "is_mount", lambda path: path in {disk, Path("/")})
    run("ingest", "--direct", str(tmp_path / "docs"), "-l", "books")
    monkeypatch.setattr(Path, "is_mount", lambda path: path == Path("/"))
    (disk / "d.md").unlink()
    outcome = run("ingest", "--direct", str(tmp_path / "docs"), "-l", "books", "--prune")
    assert outcome.err == f"{disk}: is not mounted, so 1 document below it can't be pruned\n"
    assert titles(server) == ["a.md", "d.md"]
    monkeypatch.setattr(Path, "is_mount", lambda path: path in {disk, Path("/")})
    assert (
        "1 pruned"
        in run("ingest", "--direct", str(tmp_path / "docs"), "-l", "books", "--prune").out
    )


def test_a_file_that_is_a_folder_or_a_link_now(prune: Prune, server: Server, folder: Path) -> None:
    (folder / "a.md").unlink()
    (folder / "a.md").mkdir()
    (folder / "b.md").rename(folder / "z.md")
    (folder / "b.md").symlink_to("z.md")
    assert "2 pruned" in prune().out
    assert len(server.documents) == 2


@pytest.mark.parametrize("name", ["docs/a.md", "docs/nowhere"])
def test_it_takes_folders_alone(prune: Prune, server: Server, folder: Path, name: str) -> None:
    (folder / "b.md").unlink()
    outcome = prune(folder, folder.parent / name)
    assert outcome.status == 2
    assert name in outcome.err.replace("\n", "")
    assert titles(server) == ["a.md", "b.md", "c.md"]


def test_a_library_that_is_not_there(run: Run, server: Server, folder: Path) -> None:
    outcome = run("ingest", "--direct", str(folder), "-l", "others", "--prune")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.endswith("0 failed, 0 pruned.\n")
    assert "others" in server.libraries


def path_in_library(file: Path) -> str:
    return f"/libraries/l-books/documents/{id_of(file.as_uri())}"


@pytest.mark.parametrize(("status", "counts"), [(404, "0 failed"), (412, "0 failed")])
def test_what_others_deleted_or_wrote_meanwhile_is_left_alone(
    prune: Prune, server: Server, folder: Path, status: int, counts: str
) -> None:
    (folder / "a.md").unlink()
    server.answer(path_in_library(folder / "a.md"), httpx.Response(status))
    outcome = prune()
    assert (outcome.status, outcome.err) == (0, "")
    assert f"{counts}, 0 pruned" in outcome.out
    (deletion,) = (request for request in server.requests if request.method == "DELETE")
    assert deletion.headers["If-Match"] == '"1"'


def test_a_deletion_that_fails_is_named(prune: Prune, server: Server, folder: Path) -> None:
    for name in ("a.md", "b.md"):
        (folder / name).unlink()
    server.answer(path_in_library(folder / "a.md"), httpx.Response(500))
    outcome = prune()
    assert outcome.status == 1
    assert outcome.err.startswith(f"{folder}/a.md: 500")
    assert "1 failed, 1 pruned" in outcome.out


def test_an_interrupted_run_prunes_nothing(prune: Prune, server: Server, folder: Path) -> None:
    (folder / "a.md").unlink()
    server.answer(path_in_library(folder / "b.md"), Interrupted())
    assert prune().status == 130
    assert titles(server) == ["a.md", "b.md", "c.md"]
