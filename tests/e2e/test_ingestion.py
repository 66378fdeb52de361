"""A folder that is ingested while the worker and the API are killed is complete in the end."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.interruption import INTERRUPTED
from nalanda import Nalanda
from tests.e2e.stack import NALANDA, Stack
from tests.waiting import until

FILES = 60
TIMEOUT_S = 180


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path) as stack:
        stack.start_all()
        yield stack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "notes"
    root.mkdir()
    for number in range(FILES):
        words = "\n\n".join(f"Harbour {number} is {depth} fathoms deep." for depth in range(20))
        (root / f"{number:02}.md").write_text(f"# Harbour {number}\n\n{words}\n")
    return root


def ingest(stack: Stack, folder: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [NALANDA, "ingest", str(folder), "--library", "notes", *options],
        env={"NALANDA_API_URL": stack.api_url, "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder.parent,
    )


def until_documents(stack: Stack, number: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    with stack.client() as client:
        while not any(library.name == "notes" for library in client.libraries.list()) or (
            len(list(client.documents.list("notes"))) < number
        ):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def chunks(client: Nalanda) -> list[tuple[str, int]]:
    return [(c.text, c.ordinal) for c in client.chunks.list("notes", order_by="chunk.text")]


def test_the_library_is_that_of_an_undisturbed_run(stack: Stack, folder: Path) -> None:
    with ingest(stack, folder) as process:
        until_documents(stack, 3)
        stack.kill("worker")
        stack.start("worker")
        until_documents(stack, 20)
        stack.kill("api")
        stack.start("api")
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, out + err
    assert f"Library notes: {FILES} added, 0 changed, 0 unchanged, 0 failed." in out
    with ingest(stack, folder) as process:
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert f"0 added, 0 changed, {FILES} unchanged, 0 failed." in out
    with stack.client() as client:
        disturbed = [
            (c.text, c.ordinal) for c in client.chunks.list("notes", order_by="chunk.text")
        ]
        client.libraries.delete("notes")
    with ingest(stack, folder) as process:
        process.communicate(timeout=TIMEOUT_S)
    with stack.client() as client:
        again = chunks(client)
    assert disturbed == again
    assert len(again) >= FILES


ENCODED = {
    "latin-1.txt": ("latin-1", "Le café près de la forêt coûte très cher à Noël."),
    "windows-1251.md": ("cp1251", "Грузы в порту весят много, и корабль уходит утром."),
    "shift-jis.txt": ("shift_jis", "港の深さは九尋です。荷物は船で運ばれます。"),
    "utf-16.md": ("utf-16", "Die Häfen sind tief, und 世界 ist groß."),
}


def test_a_text_is_ingested_in_its_encoding(stack: Stack, tmp_path: Path) -> None:
    root = tmp_path / "encoded"
    root.mkdir()
    for name, (encoding, words) in ENCODED.items():
        (root / name).write_bytes(" ".join([words] * 8).encode(encoding))
    with ingest(stack, root) as process:
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, out + err
    with stack.client() as client:
        titles = {document.id: document.title for document in client.documents.list("notes")}
        texts = {titles[chunk.document_id]: chunk.text for chunk in client.chunks.list("notes")}
    assert texts == {name: " ".join([words] * 8) for name, (_, words) in ENCODED.items()}


def test_a_watch_outlasts_a_restart_of_the_server(stack: Stack, tmp_path: Path) -> None:
    root = tmp_path / "watched"
    root.mkdir()
    (root / "a.md").write_text("# Harbour\n\nIt is nine fathoms deep.")
    with ingest(stack, root, "--watch", "--prune") as process:
        until_documents(stack, 1)
        stack.kill("api")
        (root / "b.md").write_text("# Winds\n\nA gale at sea.")
        (root / "a.md").rename(root / "c.md")
        stack.start("api")
        with stack.client() as client:
            until(lambda: sources(client) == {"b.md", "c.md"}, TIMEOUT_S)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == INTERRUPTED, out + err
    assert "Library notes: 3 added, 0 changed, 0 unchanged, 0 failed, 1 pruned." in out


def sources(client: Nalanda) -> set[str]:
    return {(d.source or "").rpartition("/")[2] for d in client.documents.list("notes")}
