"""`nalanda ingest` as a whole command, against the real API in this process."""

from pathlib import Path
from typing import Any

import pytest

from nalanda import Nalanda
from tests.integration.cli.conftest import Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "a.md").write_text("# Ports\n\nThe harbour is nine fathoms deep.")
    (root / "b.html").write_text("<title>Winds</title><style>x</style><p>A gale&mdash;at sea</p>")
    (root / "c.txt").write_bytes("Über die Häfen".encode("utf-16"))
    return root


def documents(client: Nalanda, library: str) -> dict[str | None, list[str]]:
    """Return the texts of each document by title."""
    texts: dict[str, list[str]] = {}
    for chunk in client.chunks.list(library):
        texts.setdefault(chunk.document_id, []).append(chunk.text)
    return {
        document.title: texts.get(document.id, []) for document in client.documents.list(library)
    }


def test_files_come_in_and_go(run: Run, client: Nalanda, folder: Path) -> None:
    assert "3 added, 0 changed, 0 unchanged, 0 failed." in run(
        "ingest", "--direct", folder, "-l", "notes", status=0
    )
    there = {
        "Ports": ["# Ports\n\nThe harbour is nine fathoms deep."],
        "Winds": ["A gale—at sea"],
        "c.txt": ["Über die Häfen"],
    }
    assert documents(client, "notes") == there
    (folder / "a.md").rename(folder / "z.md")
    (folder / "c.txt").write_text("")
    said = run("ingest", "--direct", folder, "-l", "notes", "--prune", status=0)
    assert "1 added, 1 changed, 1 unchanged, 0 failed, 1 pruned." in said
    assert documents(client, "notes") == {**there, "c.txt": []}
    assert "3 unchanged, 0 failed, 0 pruned." in run(
        "ingest", "--direct", folder, "-l", "notes", "--prune", status=0
    )


@pytest.mark.parametrize(
    ("library", "chunks", "reason"),
    [
        ({}, [{"text": "x", "embedding": [1.0, 2.0]}], "This library has no model"),
        ({"dimension": 5}, [], "makes 256 numbers, not the library's 5"),
        (
            {"metadata_schema": {"fields": {"year": {"type": "integer", "required": True}}}},
            [],
            "metadata/year: This field is required.",
        ),
    ],
    ids=["own vectors", "another dimension", "required metadata"],
)
def test_a_library_that_takes_no_text_is_reported_once(
    run: Run, client: Nalanda, folder: Path, library: Any, chunks: Any, reason: str
) -> None:
    client.libraries.create("own", **library)
    client.documents.replace("own", "mine", title="mine", chunks=chunks)
    said = run("ingest", "--direct", folder, "-l", "own", status=1).splitlines()
    assert len(said) == 3
    assert said[1].startswith("nalanda: The library own accepts no files (")
    assert reason in said[1]
    assert said[2] == "Library own: 0 added, 0 changed, 0 unchanged, 1 failed."
    assert list(documents(client, "own")) == ["mine"]


def test_a_library_that_was_missing_stays_so_without_files(
    run: Run, client: Nalanda, tmp_path: Path
) -> None:
    (tmp_path / "x.png").write_text("")
    said = run("ingest", "--direct", tmp_path, "-l", "none", status=1)
    assert said.splitlines()[1:] == [
        "Skipped: 1 .png.",
        "Library none: 0 added, 0 changed, 0 unchanged, 0 failed.",
    ]
    assert list(client.libraries.list()) == []
