"""Export and import as whole commands, against the real API in this process."""

import json
import sys
from base64 import b64encode
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.transfer.exporting import check_model
from core.domain.errors import Conflict
from nalanda import ChunkOptions, Nalanda, Place
from tests.integration.cli.conftest import Run

FORMATS = ["jsonl", "parquet"]
OWN = {"id", "name", "library_id", "version", "created_at", "updated_at"}


def chunk(id_: str, *vector: float, **metadata: Any) -> ChunkOptions:
    embedding = np.array(vector, np.float32)
    return {"id": id_, "text": f"text of {id_} é\n", "embedding": embedding, "metadata": metadata}


@pytest.fixture
def letters(client: Nalanda) -> str:
    schema = {"fields": {"year": {"type": "integer"}, "tag": {"type": "string", "enum": ["x"]}}}
    client.libraries.create(
        "letters",
        description="What we wrote",
        metadata={"a": {"b": [1, None]}},
        metadata_schema=schema,
        dimension=2,
        metric="l2",
        index={"kind": "hnsw", "ef": 50},
        language="french",
    )
    put = partial(client.documents.replace, "letters")
    put("one", title="One", source="s", metadata={"n": 2**62 + 1, "x": 1.5}, chunks=[])
    put(
        "two",
        chunks=[chunk("z", 0.1, 1 / 3, year=1), chunk("a", 1e-30, -5, tag="x"), chunk("m", 0, 0)],
    )
    put("three", title="Three", chunks=[chunk(f"c{i}", i, i / 7, year=i) for i in range(30)])
    place = Place(title="Three\0", headings=["é", "b"], page=2, box=(0.1, 1, 2, 3), line=4)
    client.chunks.update("letters", "c7", {"place": place})
    client.chunks.update("letters", "c8", {"place": {}})
    client.chunks.delete("letters", "c3")
    return "letters"


def contents(client: Nalanda, library: str) -> dict[str, Any]:
    """Return a library without versions, times and its id; chunks are in order."""
    copy = client.libraries.get(library)
    documents: dict[str, Any] = {
        document.id: document.model_dump(exclude=OWN) for document in client.documents.list(copy.id)
    }
    for id_, document in documents.items():
        listed = client.chunks.list(copy.id, document_id=id_, include=["embedding"])
        document["chunks"] = [(c.id, c.model_dump(exclude=OWN | {"ordinal"})) for c in listed]
    return {"library": copy.model_dump(exclude=OWN), "documents": documents}


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_imported_is_what_was_exported(
    client: Nalanda, letters: str, run: Run, suffix: str, tmp_path: Path
) -> None:
    file = tmp_path / f"letters.{suffix}"
    assert run("export", letters, file) == f"Exported letters to {file}: 3 documents.\n"
    expected = contents(client, letters)
    client.libraries.delete(letters)  # the source of the chunk ids
    assert run("import", file, "--library", "copy") == (
        "Library copy: 3 added, 0 changed, 0 unchanged.\n"
    )
    assert contents(client, "copy") == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name]


HARD: dict[str, Any] = {
    "integers": [2**64 - 1, -(2**63), 0],
    "numbers": [1.0, 0.1, 5e-324, -1.7976931348623157e308],
    "strings": ["", "\0", "\u2028\r\n", "\U0001f600", "{}", "NaN", "2026-01-31"],
    "nothing": [None, {}, [], [[]], False],
    "": {"a.b": {"/~": 1}},
}


@pytest.mark.parametrize("metric", ["l2", "dot", "cosine"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_hard_values_come_back_as_they_were(
    client: Nalanda, run: Run, suffix: str, metric: Any, tmp_path: Path
) -> None:
    client.libraries.create("hard", metric=metric)
    vectors = [[1e-15, 0], [-1e15, 0], [1 / 3, -0.0], *([[0.0, 0.0]] if metric != "cosine" else [])]
    chunks = [chunk(f"{n}", *vector, **HARD) for n, vector in enumerate(vectors)]
    chunks[0]["text"] = ""
    chunks[1]["text"] = "\0 \r\n\u2028 \ufeff"
    put = partial(client.documents.replace, "hard")
    put("a.~-_", title="", source="\0", metadata=HARD, chunks=chunks)
    put("NaN", title="NaN", source="null")
    put("7", metadata={})
    deep: dict[str, Any] = {}
    for _ in range(196):
        deep = {"a": deep}
    put("deep", metadata=deep, chunks=[chunk("deep", 1, 1, **deep)])
    file = tmp_path / f"hard.{suffix}"
    run("export", "hard", file, status=0)
    expected = contents(client, "hard")
    client.libraries.delete("hard")
    assert "4 added" in run("import", file, "-l", "hard", status=0)
    assert contents(client, "hard") == expected
    assert "4 unchanged" in run("import", file, "-l", "hard", status=0)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_library_with_a_model_and_one_without_anything(
    client: Nalanda, run: Run, suffix: str, tmp_path: Path
) -> None:
    for name in ("empty", "texts"):
        client.libraries.create(name)
        if name == "texts":
            client.documents.create(name, text="Ships leave for Lanka in winter. " * 200)
        file = tmp_path / f"{name}.{suffix}"
        run("export", name, file, status=0)
        expected = contents(client, name)
        client.libraries.delete(name)
        run("import", file, "-l", name, status=0)
        assert contents(client, name) == expected
    client.documents.create("texts", text="It takes texts as before.")


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_import_done_again_changes_what_differs_alone(
    client: Nalanda, letters: str, run: Run, suffix: str, tmp_path: Path
) -> None:
    file = tmp_path / f"letters.{suffix}"
    run("export", letters, file)
    expected = contents(client, letters)
    assert run("import", file, "-l", letters) == (
        "Library letters: 0 added, 0 changed, 3 unchanged.\n"
    )
    client.chunks.update(letters, "z", {"metadata": {"year": 2}})
    client.documents.delete(letters, "one")
    assert run("import", file, "-l", letters) == (
        "Library letters: 1 added, 1 changed, 1 unchanged.\n"
    )
    assert contents(client, letters) == expected


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_document_of_more_chunks_than_a_request_takes(
    client: Nalanda, run: Run, suffix: str, tmp_path: Path
) -> None:
    client.libraries.create("long", dimension=1)
    client.documents.replace("long", "d", chunks=[chunk(f"{i:04}", i + 1) for i in range(900)])
    client.chunks.add("long", "d", [chunk(f"{i:04}", i + 1) for i in range(900, 1_300)])
    file = tmp_path / f"long.{suffix}"
    run("export", "long", file)
    expected = contents(client, "long")
    client.libraries.delete("long")
    run("import", file, "-l", "long")
    assert contents(client, "long") == expected
    client.chunks.delete("long", "1299")  # like an interrupted import
    assert "1 changed" in run("import", file, "-l", "long")
    assert contents(client, "long") == expected


def test_the_lines_of_a_file_may_be_in_any_order(
    client: Nalanda, letters: str, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "letters.jsonl"
    run("export", letters, file)
    header, *others = file.read_text().splitlines(keepends=True)
    file.write_text(header + "".join(reversed(others)))
    assert run("import", file, "-l", letters).endswith("3 unchanged.\n")


def test_an_export_that_fails_leaves_the_file_as_it_was(
    client: Nalanda, letters: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "letters.jsonl"
    file.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cli.transfer.formats.json_lines._chunk", full)
    assert run("export", letters, file).endswith("No space left on device\n")
    assert file.read_text() == "before"


def line(**fields: Any) -> str:
    return json.dumps(fields) + "\n"


HEADER = line(kind="library", format=1, name="x", settings={"dimension": 1})
DOCUMENT = line(kind="document", id="d")
EMBEDDING = b64encode(np.array([1], "<f4").tobytes()).decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "file.jsonl is empty"),
        ("[]\n", "line 1 must be a JSON object"),
        ("{}\n", "is neither an export's header"),
        (line(format=2, name="x", settings={}), "A newer Nalanda has written"),
        (HEADER + DOCUMENT + "{", "line 3: This must be JSON"),
        (HEADER + line(kind="documents"), "line 2: kind: This must be `document` or `chunk`"),
        (
            HEADER + line(kind="chunk", id="c", text="t", document_id="d", embedding=[1]),
            "line 2: document_id: The file has no document 'd'",
        ),
        (
            HEADER + DOCUMENT + line(kind="chunk", id="c", text="t", document_id="d"),
            "line 3: embedding: wordllama-256 makes 256 numbers, not the library's 1",
        ),
        (
            HEADER.replace("1}", "7}") + DOCUMENT,
            "The library there has the dimension 1, but the file has 7.",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    client: Nalanda, run: Run, tmp_path: Path, text: str, said: str
) -> None:
    client.libraries.create("there", dimension=1)
    file = tmp_path / "file.jsonl"
    file.write_text(text)
    answer = run("import", file, "-l", "there")
    assert said in answer
    assert answer.count("\n") == 1


def test_a_file_made_by_hand(client: Nalanda, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "file.jsonl"
    chunks = [
        line(kind="chunk", id=id_, document_id="d", text="t", embedding=EMBEDDING) for id_ in "ba"
    ]
    file.write_text(HEADER + DOCUMENT + "".join(chunks))
    assert run("import", file, "-l", "made") == "Library made: 1 added, 0 changed, 0 unchanged.\n"
    assert [chunk.id for chunk in client.chunks.list("made", document_id="d")] == ["b", "a"]


def test_files_that_can_t_be_read(client: Nalanda, run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    other.write_bytes(b"not Parquet")
    assert "is not a Parquet file" in run("import", other, "-l", "x")
    assert "No such file or directory" in run("import", tmp_path / "none.jsonl", "-l", "x")
    assert "The file name must end in one of .jsonl" in run("import", tmp_path / "x.csv", "-l", "x")
    assert "There is no library 'none'" in run("export", "none", tmp_path / "x.jsonl")


def test_parquet_without_pyarrow(
    client: Nalanda, letters: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = run("export", letters, tmp_path / "x.parquet")
    assert said == (
        "nalanda: Parquet needs pyarrow: pip install 'nalanda[parquet]', or use a .jsonl file.\n"
    )


def test_an_export_during_a_change_of_the_model_is_refused(client: Nalanda, letters: str) -> None:
    library = client.libraries.get(letters)
    check_model(client, library)
    with pytest.raises(Conflict, match="Export it again"):
        check_model(client, library.model_copy(update={"embedding_model": "another"}))
